"Every notebook runs from top to bottom, each in a process of its own, as a reader would open it. Of the two tours one: test_tour.py holds that their code is the same."

import pytest
from warm import ROOT, run

NOTEBOOKS = [ROOT/'nbs'/'index.ipynb'] + [p for p in sorted((ROOT/'nbs').rglob('[0-9]*.ipynb')) if '.ipynb_checkpoints' not in p.parts and p.stem != '00_tour_es']

@pytest.mark.parametrize('nb', NOTEBOOKS, ids=lambda p: str(p.relative_to(ROOT/'nbs')))
def test_notebook(nb):
    code, said = run(nb)
    assert not code, said[-8000:]
