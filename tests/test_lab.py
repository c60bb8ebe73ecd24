"The panels as objects: driven by their widgets, hurt by what may happen to them, and alive afterwards."
import base64, json, os, random, shutil, signal, subprocess, sys, textwrap, threading
from pathlib import Path
from unittest.mock import patch

import pytest

from thau.engine.files import lock, shipped_model

NBS = Path(__file__).parents[1]/'nbs'/'6_lab'
PANELS = '00c_ram_panel', '01_views', '02_memory_panel', '03_chat_panel', '04_learning_panel', '05_painter_panel'

@pytest.fixture(scope='module', autouse=True)
def quick():
    "Measured on single documents, for measuring takes longer than these few steps."
    with patch.multiple('thau.growth.train', FULL=1, GLANCE=1): yield

@pytest.fixture(scope='module')
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp('text')/'text.txt'
    path.write_text('\n\n'.join(f'El perro número {i} tiene {i % 7} huesos y una casa azul. The dog has {i % 5} bones.' for i in range(400)), encoding='utf-8')
    return path

@pytest.fixture(scope='module')
def run(text, tmp_path_factory):
    from thau.lab.views import GrowthView
    out = tmp_path_factory.mktemp('runs')/'run'
    view = GrowthView(out, to=0, steps=4, corpus=[text])
    view.start(); view.wait()
    assert view.error is None and view.line.value.startswith('finished: age 0')
    return out

def bundle(panel):
    data, _ = panel._repr_mimebundle_()
    assert set(data) <= {'image/png', 'text/plain'} and data['text/plain']
    if 'image/png' in data: assert base64.b64decode(data['image/png'])[:4] == b'\x89PNG' and len(data['image/png']) <= 60_000
    return data

@pytest.mark.parametrize('name', PANELS)
def test_a_saved_notebook_has_its_picture(name):
    "Whoever has no kernel sees each panel, and no picture is large."
    cells = json.loads((NBS/f'{name}.ipynb').read_text('utf-8'))['cells']
    pictures = [o['data']['image/png'] for c in cells for o in c.get('outputs', []) if 'image/png' in o.get('data', {})]
    assert pictures and all(len(base64.b64decode(p)) <= 60_000 for p in pictures)

def test_a_run_is_known_by_its_directory(run):
    from thau.lab.views import GrowthView
    again = GrowthView(run)
    assert again.bar.value == 1. and again.age.value == 0 and again.line.value.startswith('finished')
    assert again.live['loss'].curves['age 0'][0][-1] == 4
    assert 'parameters' in bundle(again)['text/plain']

def test_pause_keeps_the_cell_and_start_goes_on(text, tmp_path):
    from thau.lab.views import GrowthView
    view, history = GrowthView(tmp_path/'run', to=0, steps=3, corpus=[text]), []
    cell = threading.Thread(target=lambda: history.append(view.wait()), daemon=True)
    view.start(); view.pause_button.click(); view.thread.join()
    cell.start(); cell.join(.5)
    assert cell.is_alive() and view.line.value.startswith('paused: stopped at step')
    view.start_button.click(); cell.join(600)
    assert not cell.is_alive() and not history[0].interrupted and view.stop_button.disabled

def test_a_run_of_somebody_else_is_followed(run):
    from thau.lab.views import GrowthView
    with lock(run):
        view = GrowthView(run)
        assert view.busy and view.start_button.disabled
        view.stop_button.click(); view.thread.join(60)
        assert not view.busy and 'not followed' in view.line.value
        view.start(); view.wait()
        assert 'in use by process' in view.line.value or 'already holds a run' in view.line.value

@pytest.mark.parametrize('damage', ('plan', 'version', 'metrics', 'gone'))
def test_a_directory_that_is_not_what_it_was(run, tmp_path, damage):
    from thau.lab.views import GrowthView
    out = tmp_path/'run'
    shutil.copytree(run, out)
    if damage == 'plan': (out/'plan.json').write_text('{"ladder":')
    if damage == 'version': (out/'plan.json').write_text(json.dumps(json.loads((out/'plan.json').read_text()) | dict(colour='blue')))
    if damage == 'metrics': (out/'metrics.jsonl').write_text('nothing}\n' + (out/'metrics.jsonl').read_text())
    view = GrowthView(out)
    if damage == 'gone': shutil.rmtree(out)
    else: assert view.line.value and view.error
    bundle(view)
    if damage != 'gone':
        view.start(); view.wait()
        assert view.error and not view.start_button.disabled

def test_values_out_of_range(text, tmp_path):
    from thau.lab.views import GrowthView
    view = GrowthView(tmp_path/'run', corpus=[text])
    for minutes in (0., -1., float('nan'), float('inf')):
        view.minutes.value = minutes
        view.start(); view.wait()
        assert view.line.value.startswith('minutes is') and not (tmp_path/'run'/'plan.json').exists()

def test_live_curves_are_few_and_finite():
    import math, time
    from thau.lab.live import Live
    live, sent = Live('many'), []
    live.observe(lambda change: sent.append(change['new']), 'curves')
    began = time.monotonic()
    while time.monotonic() - began < 1:
        for v in (1., math.nan, math.inf, random.random()): live.add(time.monotonic() - began, y=v)
    live.flush()
    assert 2 <= len(sent) <= 13
    assert all(math.isfinite(v) for v in live.curves['y'][1]) and len(live.curves['y'][0]) <= 600
    json.dumps(live.curves, allow_nan=False)

def test_two_threads_draw_one_curve():
    from thau.lab.live import Live
    live = Live('both', every=0.)
    def add(name): [live.add(i, **{name: i}) for i in range(300)]
    threads = [threading.Thread(target=add, args=(n,)) for n in 'ab']
    [t.start() for t in threads]; [t.join() for t in threads]
    live.flush()
    assert all(c[0] == c[1] == [float(i) for i in range(300)] for c in live.curves.values()) and len(live.curves) == 2

def test_chat_survives_a_model_that_disappears(tmp_path):
    from thau.lab.chat_panel import ChatPanel
    shutil.copytree(shipped_model(), tmp_path/'model')
    panel = ChatPanel(tmp_path/'model', home=tmp_path/'talk', memory=False)
    panel.send('Hola'); panel.wait()
    assert panel.turns[-1]['content'] and panel.error is None
    panel.chat.close(); panel.chat = None
    shutil.rmtree(tmp_path/'model')
    panel.send('¿Sigues ahí?'); panel.wait()
    assert 'no such model' in panel.line.value and not panel.send_button.disabled
    bundle(panel)

def test_what_a_model_says_is_no_markup():
    from thau.lab.chat_panel import turn_html
    from thau.lab.views import said_html
    bad = '<img src=x onerror=alert(1)><script>1</script>'
    said = turn_html(dict(role='assistant', content=bad, calls=[dict(name=bad, arguments={bad: bad}, result=bad)], memories=[dict(when=bad, text=bad)], images=[bad])) + said_html([dict(prompt=bad, text=bad)])
    assert '<script' not in said and '<img src=x' not in said

def test_what_a_notebook_shows_of_plain_objects(run):
    from thau.engine.generate import ready
    from thau.engine.pack import Pack
    from thau.growth.ages import LADDERS
    from thau.growth.checkpoint import Standing
    from thau.growth.report import load_history
    from thau.memory.recall import Found, Result
    assert '348,480' in LADDERS['nursery']._repr_html_() and '348,480' in LADDERS['nursery'][0]._repr_html_()
    assert {'image/png', 'text/plain'} == set(load_history(run)._repr_mimebundle_()[0])
    assert 'age 0' in Standing(reports=[dict(age=0)])._repr_html_()
    assert '&lt;i&gt;' in Found([Result('1', '<i>', .5, '2026-03-02')], False)._repr_html_()
    assert 'd_model' in Pack(ready())._repr_html_()

def test_the_extension_is_light_and_its_errors_are_lines(tmp_path):
    code = textwrap.dedent("""
        import sys
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.extension_manager.load_extension('thau')
        assert not {'torch', 'numba'} & set(sys.modules)
        shell.run_line_magic('thau_age', '7')
        shell.run_line_magic('thau_age', '/nowhere')
        shell.run_cell_magic('chat', '/nowhere', 'Hola')
        assert shell.run_line_magic('thau_age', '6').params == 4_000_000
        assert 'torch' not in sys.modules""")
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=tmp_path, env=os.environ | dict(IPYTHONDIR=str(tmp_path)))
    assert done.returncode == 0, done.stderr
    assert [l.split(':')[0] for l in done.stdout.splitlines()] == ['unknown age 7', '/nowhere is no ladder, age, run or model; write one of nursery, main, an age such as 6, or a folder', '/nowhere']

def test_an_interrupt_leaves_a_panel_that_goes_on(text, tmp_path):
    "SIGINT while a cell waits, as the kernel's stop button sends it: history returned, a checkpoint that holds."
    from thau.growth.checkpoint import newest
    from thau.lab.views import GrowthView
    view = GrowthView(tmp_path/'run', to=0, steps=140, corpus=[text]) # So many that no machine is done before the signal comes, too few to be compiled for
    heard = threading.Event()
    view.bar.observe(lambda change: heard.set(), 'value')
    threading.Thread(target=lambda: heard.wait() and os.kill(os.getpid(), signal.SIGINT), daemon=True).start()
    view.start()
    history = view.wait()
    assert history.interrupted and not view.busy and view.line.value.endswith('Start goes on from there')
    assert newest(tmp_path/'run') and GrowthView(tmp_path/'run').stopped
