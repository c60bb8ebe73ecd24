"Every notebook runs from top to bottom, each in a process of its own, as a reader would open it."
import os, subprocess, sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = [p for p in sorted((ROOT/'nbs').rglob('[0-9]*.ipynb')) if '.ipynb_checkpoints' not in p.parts]

@pytest.mark.parametrize('nb', NOTEBOOKS, ids=lambda p: str(p.relative_to(ROOT/'nbs')))
def test_notebook(nb):
    got = subprocess.run([Path(sys.executable).parent/'nbdev-test', nb, '--n-workers', '0'], cwd=ROOT, env=os.environ | {'IN_TEST': '1'},
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert not got.returncode, got.stdout[-4000:] + got.stderr[-4000:]
