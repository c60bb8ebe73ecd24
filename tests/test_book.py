"The notebooks as a book: its list is true, every panel leaves a picture, and a web site comes out of it."
import base64, json, os, re, subprocess, sys
from pathlib import Path

import pytest
from nbconvert import HTMLExporter

from thau.lab.book import Contents, chapters

ROOT = Path(__file__).parents[1]
NBS = ROOT/'nbs'
WIDGET = 'application/vnd.jupyter.widget-view+json'

def cells(path): return json.loads(path.read_text('utf-8'))['cells']

def outputs(path): return [o.get('data', {}) for c in cells(path) for o in c.get('outputs', [])]

def panels(): # Notebooks that define or show one
    shown = re.compile(r'^\s*(class \w+\(.*Panel\)|\w*(View|Panel)\()', re.M)
    return [p for p in [*NBS.glob('00_tour*.ipynb'), *sorted((NBS/'6_lab').glob('[0-9]*.ipynb'))] if any(shown.search(''.join(c['source'])) for c in cells(p) if c['cell_type'] == 'code')]

def test_the_list_is_what_the_chapters_say():
    saved = next(''.join(d['text/markdown']) for d in outputs(NBS/'index.ipynb') if 'text/markdown' in d)
    assert saved == Contents(NBS)._repr_markdown_(), 'chapters changed: .venv/bin/nbdev-test nbs/index.ipynb --save --n-workers 0'
    assert len(chapters(NBS)) > 100

def test_no_widget_without_a_picture():
    "A reader of a saved notebook has no kernel: what was a panel must be a picture there."
    for chapter in chapters(NBS):
        for data in outputs(NBS/f'{chapter.name}.ipynb'):
            assert WIDGET not in data or 'image/png' in data, chapter.name
            for kind, value in data.items(): assert kind == 'image/png' or len(''.join(value)) < 100_000, f'{chapter.name}: {kind}'
            if 'image/png' in data and chapter.room in ('', 'lab'): assert len(base64.b64decode(''.join(data['image/png']))) <= 60_000, chapter.name

@pytest.mark.parametrize('path', panels(), ids=lambda p: p.stem)
def test_panels_stay_without_javascript(path):
    html, _ = HTMLExporter(template_name='basic').from_filename(str(path))
    plain = re.sub(r'<script.*?</script>', '', html, flags=re.S)
    pictures = sum('image/png' in d for d in outputs(path))
    assert pictures and plain.count('src="data:image/png;base64,') >= pictures

def test_a_site_comes_out_and_asks_nobody(tmp_path):
    "Three pages of it; `make site` builds all."
    got = subprocess.run([sys.executable, '-m', 'mkdocs', 'build', '--quiet', '-d', tmp_path/'site'], cwd=ROOT, env=os.environ | {'THAU_SITE_ONLY': 'none'}, capture_output=True, text=True)
    assert got.returncode == 0, got.stderr
    for name in ('index', '00_tour', '00_tour_es'):
        page = (tmp_path/'site'/f'{name}.html').read_text('utf-8')
        assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]*"', page), name
        assert not re.search(r'href="[^":]+\.ipynb["#]', page), name
    assert 'href="1_engine/01_ram.html"' in (tmp_path/'site/index.html').read_text('utf-8')
