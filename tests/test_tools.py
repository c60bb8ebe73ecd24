"Calls elsewhere: llama.cpp keeps to our grammar, and what no weights know, no rule around them supplies."
import json, socket, sys, urllib.request
from datetime import date
from pathlib import Path

import pytest

from thau.engine.files import data_dir, shipped_model
from thau.tools.gbnf import gbnf
from thau.tools.grammar import ground
from thau.tools.parse import parse
from thau.tools.schemas import complaint, read_tools

ROOT, SHIPPED = Path(__file__).parents[1], shipped_model('micro')
OURS = json.loads((data_dir() / 'tools.json').read_text('utf-8'))
sys.path.insert(0, str(ROOT / 'data' / 'bench'))


def test_llama_cpp_keeps_to_the_grammar(tmp_path):
    xllamacpp = pytest.importorskip('xllamacpp')
    from thau.growth.export import export_gguf
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.warmup, params.special = export_gguf(SHIPPED, tmp_path)['out'], 1024, False, True
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); params.port = s.getsockname()[1]
    server = xllamacpp.Server(params)
    talk = [dict(role='user', content='Pon un temporizador de media hora y dibuja un gato "azul"')]
    for tools, spoken in ((OURS[:3], ground(talk, date(2026, 5, 20))), (OURS, None), (OURS[5:6], ground(talk, date(2026, 5, 20)))):
        body = dict(prompt='Hola', grammar=gbnf(tools, spoken, most=1), n_predict=300, temperature=1.0, seed=3)
        with urllib.request.urlopen(urllib.request.Request(server.listening_address + '/completion', json.dumps(body).encode(), {'Content-Type': 'application/json'}), timeout=120) as r: said = json.load(r)['content']
        assert len(parse(said.removesuffix('<|im_end|>'), tools).calls) == 1, said


def test_every_exam_is_possible():
    "Whatever a lesson's right call is, grammar and grounding allow it."
    from thau.engine.tokenizer import ThauTokenizer
    from thau.tools.constrain import Constraint, tag
    from thau.tools.grammar import lark
    from tools import NOW, make_cases
    tk, missed, tried = ThauTokenizer.from_ladder(), [], 0
    first, last = tk.id('<tool_call>'), tk.id('</tool_call>')
    for case in make_cases(40, seed=5):
        if not case['wanted']: continue
        constraint, tried = Constraint(tk, lark(case['tools'], ground(case['messages'], NOW), tag(tk, '<tool_call>'), tag(tk, '</tool_call>'))), tried + 1
        ids = []
        for call in case['wanted']: ids += (tk.encode('\n') if ids else []) + [first, *tk.encode(f'{{"name": {json.dumps(call["name"])}, "arguments": {json.dumps(call["arguments"], ensure_ascii=False)}}}'), last]
        try: constraint.take(ids); fits = constraint.whole
        except Exception: fits = False
        if not fits: missed.append((case['messages'][-1]['content'], case['wanted']))
    assert tried > 60 and len(missed) <= tried // 50, missed[:5]


def test_the_scorer_counts_right():
    from tools import make_cases, same, score
    cases = make_cases(8, seed=2)
    perfect = score(cases, [dict(tool_calls=c['wanted']) for c in cases])
    assert perfect['f1'] == perfect['default_exact'] == perfect['unseen_exact'] == 1 and perfect['false_calls_chat'] == 0
    silent = score(cases, [dict(tool_calls=[]) for _ in cases])
    assert silent['f1'] == silent['default_exact'] == 0 and silent['valid'] is None
    assert same([dict(name='f', arguments=dict(a=30.0))], [dict(name='f', arguments=dict(a=30))]) and not same([], [dict(name='f', arguments={})])
    for case in cases: # The lessons themselves are valid calls
        forms = {t['name']: t['form'] for t in read_tools(case['tools'])}
        assert all(complaint(forms[c['name']], c['arguments']) is None for c in case['wanted'])
