"What holds the house together: settings, floors, sizes, and what a wheel carries."
import ast, json, os, re, subprocess, sys, tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
import thau

ROOT = Path(__file__).parents[1]
FLOOR = dict(engine=1, growth=2, memory=3, tools=3, image=3, school=4, learning=4, mind=5, lab=6, serve=6, cli=6)
MODULES = [p for p in sorted((ROOT/'thau').rglob('*.py')) if p.name not in ('_modidx.py', '__init__.py')]

def settings():
    ini = ConfigParser(delimiters=['='])
    ini.read(ROOT/'settings.ini', encoding='utf-8')
    return ini['DEFAULT']

def run(*args, **kw): return subprocess.run([sys.executable, *args], capture_output=True, text=True, **kw)

def test_settings_agree():
    cfg, nbdev = settings(), tomllib.loads((ROOT/'pyproject.toml').read_text('utf-8'))['tool']['nbdev']
    assert cfg['version'] == thau.__version__
    assert {k: cfg[k] for k in ('lib_path', 'tst_flags')} == {k: nbdev[k] for k in ('lib_path', 'tst_flags')}

def test_every_requirement_is_pinned():
    pins = {re.sub(r'[-_.]+', '-', l.split('==')[0]).lower() for l in (ROOT/'constraints.txt').read_text().splitlines() if '==' in l}
    needs = {re.split(r'[<>=]', n)[0] for k, v in settings().items() if k.endswith('requirements') for n in v.split()}
    assert needs <= pins

def imports(path):
    "Rooms that a module imports from, and every module by name."
    rooms, names = set(), set()
    for node in ast.walk(ast.parse(path.read_text('utf-8'))):
        if isinstance(node, ast.Import): names |= {a.name for a in node.names}
        if isinstance(node, ast.ImportFrom):
            if node.level: rooms.add((node.module or '').split('.')[0] if node.level == 2 else path.parent.name)
            else: names.add(node.module)
    rooms |= {n.split('.')[1] for n in names if n.startswith('thau.')}
    return rooms, names

@pytest.mark.parametrize('path', MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_down(path):
    room = path.parent.name
    if room not in FLOOR: pytest.fail(f'{path} is in no room of the house') if room != 'thau' else None
    for other in imports(path)[0] - {room}:
        assert room == 'thau' or room == 'cli' or FLOOR[other] < FLOOR[room], f'{room} imports {other}'

@pytest.mark.parametrize('path', MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_is_one_idea(path):
    text = path.read_text('utf-8')
    lines = [l for l in text.splitlines() if l.strip() and not l.lstrip().startswith('#')]
    assert len(lines) <= 300
    assert ast.get_docstring(ast.parse(text)) or path.name == '__main__.py'
    assert not re.search(r'\b(pickle\.load|torch\.load\(|shell=True|trust_remote_code=True|yaml\.load\(|(?<![.\w])(eval|exec)\()', text)

def test_the_engine_never_imports_torch():
    for path in MODULES:
        if path.parent.name == 'engine': assert not {n for n in imports(path)[1] if n and n.split('.')[0] == 'torch'}, path
    mods = '; '.join(f'import thau.engine.{p.stem}' for p in MODULES if p.parent.name == 'engine')
    assert run('-c', f'{mods}\nimport sys; assert "torch" not in sys.modules').returncode == 0

def test_import_thau_is_light():
    "Nothing heavy, and quick: 50 ms more than an empty interpreter, the best of five."
    assert run('-c', 'import thau, sys; assert not {"numpy", "torch", "numba", "tokenizers"} & set(sys.modules)').returncode == 0
    took = 'import time; t = time.perf_counter(); import thau; print(time.perf_counter() - t)'
    assert min(float(run('-c', took).stdout) for _ in range(5)) <= 0.05

def test_saved_notebooks_are_small_and_whole():
    for nb in (ROOT/'nbs').rglob('[0-9]*.ipynb'):
        assert nb.stat().st_size <= 300_000, nb
        for cell in json.loads(nb.read_text('utf-8'))['cells']:
            for out in cell.get('outputs', []): assert out['output_type'] != 'error', nb

def test_nothing_large_is_kept():
    tracked = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True, text=True).stdout.split('\0')
    assert sum((ROOT/p).stat().st_size for p in tracked if p and (ROOT/p).exists()) <= 60 * 2**20

def test_a_wheel_works_elsewhere(tmp_path):
    "Built from the sdist, unpacked beside nothing of the checkout, it generates with the model that it carries."
    subprocess.run([sys.executable, '-m', 'build', '--no-isolation', '--outdir', tmp_path, ROOT], check=True, capture_output=True)
    wheel = next(tmp_path.glob('*.whl'))
    subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index', '--target', tmp_path/'site', wheel], check=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith('PYTHON')} | {'PYTHONPATH': str(tmp_path/'site')}
    where = run('-c', 'import thau; print(thau.__file__)', cwd=tmp_path, env=env).stdout
    assert str(tmp_path/'site') in where
    got = run('-m', 'thau', 'generate', '--prompt', 'Había una vez', '--tokens', '12', '--json', cwd=tmp_path, env=env)
    assert got.returncode == 0, got.stderr
    assert len(json.loads(got.stdout)['tokens']) > 0
