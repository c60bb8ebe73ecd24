"The two tours are one: the same code, told in two languages."
import json
from pathlib import Path

NBS = Path(__file__).parents[1]/'nbs'
TOURS = '00_tour.ipynb', '00_tour_es.ipynb'

def cells(name): return json.loads((NBS/name).read_text('utf-8'))['cells']

def test_same_code_in_both_languages():
    code = lambda name: [''.join(c['source']) for c in cells(name) if c['cell_type'] == 'code']
    assert code(TOURS[0]) == code(TOURS[1])
    assert [c['cell_type'] for c in cells(TOURS[0])] == [c['cell_type'] for c in cells(TOURS[1])]

def test_their_outputs_are_saved():
    for name in TOURS:
        pictures = [o for c in cells(name) for o in c.get('outputs', []) if 'image/png' in o.get('data', {})]
        assert len(pictures) >= 2
