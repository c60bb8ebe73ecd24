"""A notebook in a process of its own that need not import everything again.

    python tests/warm.py nbs/2_growth/01_ages.ipynb …      result and seconds of each, warm and cold

A server imports the heavy libraries once and forks for every notebook; none of them is left any state by another. A
notebook of the engine that shows what a process weighs or imports gets a fresh one. Tests that start and kill a run many
times take its processes from the same server: their moments then fall into the run, not into its imports."""
import multiprocessing, os, re, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRELOAD = ['nbdev.test', 'execnb.shell', 'numpy', 'numba', 'matplotlib.figure', 'matplotlib.backends.backend_agg', 'IPython.core.pylabtools', 'tokenizers', 'torch', 'torch._dynamo',
           'transformers', 'transformers.models.llama.modeling_llama', 'diffusers', 'ipywidgets', 'pydantic', 'psutil', 'llguidance', 'typer', 'fastapi', 'uvicorn']
OWN = re.compile(r'sys\.modules|resident|peak_|in_child|\brss\b') # In a notebook that looks at its own process
LIMIT = 600 # Seconds a notebook may take
SHORT = dict(THAU_TOUR_STEPS='3') # The tours, in less time

def _child(nb, log):
    "In the forked process: run `nb`; all it says goes to `log`."
    said = os.open(log, os.O_WRONLY | os.O_CREAT)
    for fd in (1, 2): os.dup2(said, fd)
    sys.stdout, sys.stderr = (open(fd, 'w', buffering=1, encoding='utf-8', closefd=False) for fd in (1, 2))
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
    os.environ.update(SHORT)
    from nbdev.config import get_config
    from nbdev.test import test_nb
    cfg = get_config(ROOT)
    ok, _ = test_nb(nb, skip_flags=cfg.tst_flags.split(), basepath=cfg.config_path, cell_timeout=cfg.cell_timeout, cell_timing_min=cfg.cell_timing_min)
    sys.stdout.flush(); sys.stderr.flush()
    os._exit(not ok) # Threads that a notebook left behind are no concern of the next one

def server():
    "What starts processes that have the heavy libraries."
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(PRELOAD)
    return context

def warm(nb:Path)->tuple: # Exit code, what it said
    "Run `nb` in a fork of the server."
    with tempfile.TemporaryDirectory() as tmp:
        log = Path(tmp)/'log'
        log.touch()
        process = server().Process(target=_child, args=(nb, str(log)))
        process.start(); process.join(LIMIT)
        if process.is_alive(): process.kill(); process.join()
        return process.exitcode, log.read_text('utf-8', 'replace')

def cold(nb:Path)->tuple: # Exit code, what it said
    "Run `nb` in a new process."
    got = subprocess.run([Path(sys.executable).parent/'nbdev-test', nb, '--n-workers', '0'], cwd=ROOT, env=os.environ | SHORT | {'IN_TEST': '1'}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return got.returncode, got.stdout + got.stderr

def run(nb:Path)->tuple: # Exit code, what it said
    "As it fits."
    alone = nb.parent.name == '1_engine' and OWN.search(nb.read_text('utf-8'))
    return (cold if alone or sys.platform == 'darwin' else warm)(nb)

if __name__ == '__main__':
    for nb in map(Path.absolute, map(Path, sys.argv[1:])):
        for way in (warm, cold):
            began = time.perf_counter()
            code, said = way(nb)
            print(f'{nb.stem:24}{way.__name__:6}{code:4}{time.perf_counter() - began:8.1f} s', said[-1500:] if code else '', flush=True)
