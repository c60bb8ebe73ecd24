"""JupyterLab itself, in a Chromium that nobody looks at: the tour from top to bottom, widgets that move, training started and stopped by its buttons.

    make browser      a few minutes; pictures of the screen stay in runs/browser"""
import json, os, re, shutil, socket, subprocess, sys, time, urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
SHOTS = ROOT/'runs'/'browser'
MINUTE = 60_000 # Milliseconds, as Playwright counts
PATIENCE = float(os.environ.get('THAU_BROWSER_PATIENCE', 1)) # Times as long, on a machine that has other things to do
QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason='there is no chromium on this machine; install the package of that name')]

def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s: return s.getsockname()[1]

def notebook(*sources):
    cells = [dict(cell_type='code', id=f'c{i}', metadata={}, source=s, outputs=[], execution_count=None) for i, s in enumerate(sources)]
    return dict(cells=cells, metadata=dict(kernelspec=dict(display_name='Python 3', language='python', name='python3')), nbformat=4, nbformat_minor=5)

@pytest.fixture(scope='module')
def lab(tmp_path_factory):
    "A JupyterLab of its own: no settings of whoever runs this, a folder with a copy of the tour."
    home = tmp_path_factory.mktemp('lab')
    work, settings = home/'work', home/'settings/@jupyterlab'
    work.mkdir()
    for plugin, values in (('notebook-extension/tracker', dict(windowingMode='none')), ('apputils-extension/notification', dict(fetchNews='false', checkForUpdates=False))):
        (settings/plugin).parent.mkdir(parents=True, exist_ok=True)
        (settings/f'{plugin}.jupyterlab-settings').write_text(json.dumps(values))
    env = os.environ | dict(JUPYTER_CONFIG_DIR=str(home/'config'), JUPYTER_DATA_DIR=str(home/'data'), JUPYTER_RUNTIME_DIR=str(home/'runtime'), JUPYTERLAB_SETTINGS_DIR=str(home/'settings'),
                            JUPYTERLAB_WORKSPACES_DIR=str(home/'workspaces'), IPYTHONDIR=str(home/'ipython'), THAU_TOUR_STEPS='3', THAU_CACHE=os.environ.get('THAU_CACHE', ''))
    shutil.copy(ROOT/'nbs'/'00_tour.ipynb', work)
    port = free_port()
    with open(home/'log', 'w') as log:
        server = subprocess.Popen([sys.executable, '-m', 'jupyterlab', '--no-browser', '--allow-root', f'--port={port}', '--ServerApp.port_retries=0', '--IdentityProvider.token=', '--ServerApp.password=', f'--ServerApp.root_dir={work}'],
                                  cwd=work, env={k: v for k, v in env.items() if v}, stdout=log, stderr=log)
    ends = time.monotonic() + 60*PATIENCE
    while time.monotonic() < ends:
        try: urllib.request.urlopen(f'http://127.0.0.1:{port}/api'); break
        except OSError: time.sleep(0.2)
    yield f'http://127.0.0.1:{port}', work
    server.terminate(); server.wait(60)

@pytest.fixture(scope='module')
def browser():
    from playwright.sync_api import sync_playwright
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()

class Page:
    "A notebook in JupyterLab, as somebody sees it."
    def __init__(self, browser, lab, name):
        self.page = browser.new_page(viewport=dict(width=1280, height=1000))
        self.page.set_default_timeout(2*MINUTE*PATIENCE)
        self.page.goto(f'{lab[0]}/lab/workspaces/{Path(name).stem}/tree/{name}') # One of its own, else what was open before opens again
        self.page.wait_for_selector('.jp-Notebook .jp-CodeCell')
        self.until(lambda: '| Idle' in self.page.locator('#jp-main-statusbar').inner_text()) # Before, cells are sent nowhere

    def menu(self, name, item): # A menu that is opened while JupyterLab still arranges itself closes again
        def chosen():
            self.page.keyboard.press('Escape')
            self.page.click(f'.lm-MenuBar-itemLabel:text-is("{name}")')
            found = self.page.locator(f'.lm-Menu-itemLabel:text-is("{item}")')
            self.page.wait_for_timeout(500)
            if found.count() and found.first.is_visible(): found.first.click(timeout=5000*PATIENCE); return True
        self.until(chosen)

    def run_all(self, minutes):
        self.menu('Run', 'Run All Cells')
        numbered = "[...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')].every(p => /^\\[\\d+\\]:?$/.test(p.innerText.trim()))"
        self.until(lambda: self.page.evaluate(numbered), 60*minutes)

    def errors(self): return self.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"], .jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"] .ansi-red-fg').all_inner_texts()

    def button(self, name): return self.page.locator(f'.widget-button:has-text("{name}"), .widget-toggle-button:has-text("{name}")').first

    def until(self, what, seconds=60):
        ends = time.monotonic() + seconds*PATIENCE
        while not (got := what()):
            if time.monotonic() > ends:
                self.shot('late')
                pytest.fail(f'this did not come; see runs/browser/late.png: {self.page.locator(".jp-OutputArea").all_inner_texts()}')
            self.page.wait_for_timeout(100)
        return got

    def shot(self, name): self.page.screenshot(path=SHOTS/f'{name}.png')

    def drawn(self): # What the curves show
        return self.page.evaluate("[...document.querySelectorAll('canvas.thau-live')].filter(c => c.width).map(c => c.toDataURL())")

def test_the_tour_runs_all(browser, lab):
    page = Page(browser, lab, '00_tour.ipynb')
    page.run_all(minutes=5)
    assert not page.errors()
    page.button('Read again').scroll_into_view_if_needed()
    page.shot('tour_ram')
    page.button('Stop').scroll_into_view_if_needed()
    page.shot('tour_growth')
    assert page.page.locator('.jupyter-widgets img, .jp-OutputArea img').count() >= 2
    page.page.close()

GROWTH = "from thau.lab.views import GrowthView", "view = GrowthView('run', steps=140)\nview"

def test_training_starts_and_stops_by_its_buttons(browser, lab):
    (lab[1]/'growth.ipynb').write_text(json.dumps(notebook(*GROWTH)))
    page = Page(browser, lab, 'growth.ipynb')
    page.run_all(minutes=2)
    line = page.page.locator('.widget-label').filter(has_text=re.compile('.')).last
    page.page.locator('.widget-dropdown:has-text("to age") select').select_option('1') # A widget is moved
    page.button('Start').click()
    page.until(lambda: 'step' in line.inner_text(), seconds=180)
    early = page.until(page.drawn)
    page.shot('growth_running')
    page.until(lambda: page.drawn() != early) # The curves move
    page.button('Pause').click()
    page.until(lambda: 'paused' in line.inner_text())
    paused = line.inner_text()
    page.page.wait_for_timeout(1000)
    assert line.inner_text() == paused and page.button('Start').is_enabled()
    page.button('Start').click()
    page.until(lambda: 'paus' not in line.inner_text() and 'step' in line.inner_text(), seconds=120)
    page.button('Stop').click()
    page.until(lambda: 'stopped at step' in line.inner_text())
    page.shot('growth_stopped')
    assert page.button('Start').is_enabled() and page.button('Stop').is_disabled() and not page.errors()
    plan = json.loads((lab[1]/'run/plan.json').read_text())
    assert plan['ages'] == [0, 1] and list((lab[1]/'run/checkpoints').iterdir())
    page.page.close()

def test_memory_is_seen_live(browser, lab):
    (lab[1]/'ram.ipynb').write_text(json.dumps(notebook('from thau.lab.ram_panel import RamView\nRamView(every=.2)')))
    page = Page(browser, lab, 'ram.ipynb')
    page.run_all(minutes=2)
    before = page.drawn()
    page.button('Live').click()
    page.until(lambda: page.drawn() != before)
    page.button('Live').click()
    page.button('Read again').click()
    assert page.page.locator('.widget-label:has-text("total")').count() and not page.errors()
    page.shot('ram')
    page.page.close()
