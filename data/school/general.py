"""Write general.json: what each general source was when it was read and checked. `thau.school.general` refuses whatever differs. Needs every package:

    for name in $(python -c "from thau.growth.packages import PACKAGES; print(*PACKAGES)"); do thau corpus fetch $name; done
    python data/school/general.py"""
from thau.engine.files import data_dir, read_json, write_json
from thau.growth.packages import _folder
from thau.school.general import SOURCES, _every, sings, summed

res = {}
for name in SOURCES:
    docs = _every(name)
    assert not any(sings(d.content) for d in docs), name
    if name == 'wikipedia': made = read_json(data_dir() / 'wikipedia' / 'manifest.json'); version, file = made['version'], sorted(made['files'])
    else: made = read_json(_folder(name) / 'corpus.json'); version, file = made['version'], [a['file'] for a in made.get('archives', [])] or [f'{name} {made["version"]}']
    res[name] = dict(version=version, file=file, **summed(docs))
write_json(data_dir() / 'school' / 'general.json', res)
