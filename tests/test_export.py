"What leaves the house is the same model elsewhere: read by gguf's own package, spoken by llama.cpp, cut into the same tokens; and nothing is half made."
import json, os, re, resource, shutil, socket, subprocess, sys, urllib.request
from pathlib import Path

import numpy as np
import pytest

from thau.engine.chat import render
from thau.engine.files import data_dir, shipped_model
from thau.engine.packing import source_of
from thau.engine.peers import in_child, libraries
from thau.engine.quantize import quantize
from thau.growth.export import export_gguf, export_hf, pair_order
from thau.growth.ollama import GO_TEMPLATE, export_ollama
from thau.tools.gbnf import gbnf
from thau.tools.parse import parse

ROOT, SHIPPED = Path(__file__).parents[1], shipped_model('micro')
sys.path.insert(0, str(ROOT / 'data' / 'bench'))
ENV = os.environ | dict(OMP_NUM_THREADS='1', LANG='C.UTF-8')


def thau(*args, **kw):
    return subprocess.run([sys.executable, '-m', 'thau', *map(str, args)], capture_output=True, text=True, timeout=120, env=ENV, **kw)


def refused(*args, code=2, **kw):
    "The one line in which `args` are refused."
    done = thau(*args, **kw)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, '', 1), done.stderr
    return done.stderr


@pytest.mark.parametrize('type', ['f16', 'q8_0', 'q4_0'])
def test_the_package_of_llama_cpp_reads_the_same(tmp_path, type):
    gguf = pytest.importorskip('gguf')
    source, file = source_of(SHIPPED), gguf.GGUFReader(export_gguf(SHIPPED, tmp_path, type)['out'])
    said = {name: field.contents() for name, field in file.fields.items()}
    assert (said['general.architecture'], said['general.file_type'], file.alignment) == ('llama', dict(f16=1, q8_0=7, q4_0=2)[type], 32)
    assert said['tokenizer.chat_template'].encode() == (SHIPPED / 'chat_template.jinja').read_bytes()
    assert len(said['tokenizer.ggml.tokens']) == len(said['tokenizer.ggml.token_type']) == source.shape.vocab_size
    weights = dict(source.weights())
    order = {'attn_q': pair_order(source.shape.n_heads, 32), 'attn_k': pair_order(source.shape.n_kv_heads, 32)}
    for name, hf in (('token_embd', 'embed_tokens'), ('blk.3.attn_q', 'layers.3.self_attn.q_proj'), ('blk.0.attn_k', 'layers.0.self_attn.k_proj'), ('blk.1.ffn_down', 'layers.1.mlp.down_proj')):
        tensor = next(t for t in file.tensors if t.name == f'{name}.weight')
        w = np.asarray(weights[f'{hf}.weight'], np.float32)[order.get(name.split('.')[-1], slice(None))]
        bits = {'F16': None, 'Q8_0': 8, 'Q4_0': 4}[tensor.tensor_type.name]
        there = gguf.dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(there, quantize(w, bits).array if bits else w.astype(np.float16))
        if bits: # Whose rounding is nearer
            error = lambda x: np.sqrt(np.square(x - w).mean())
            theirs = error(gguf.dequantize(gguf.quantize(w, tensor.tensor_type), tensor.tensor_type))
            assert (1 if bits == 8 else 1.03) < theirs / error(there) < (1.002 if bits == 8 else 1.08)


@pytest.mark.skipif(not libraries(), reason='llama.cpp is not here: pip install xllamacpp')
def test_everyone_says_the_same(tmp_path, monkeypatch):
    pytest.importorskip('transformers')
    import exports
    monkeypatch.setattr(exports, 'PROMPTS', exports.PROMPTS[::4])
    monkeypatch.setattr(exports, 'TOKENS', 24)
    for name, found in exports.everywhere(SHIPPED, tmp_path).items():
        assert found['of'] == 6
        for place in found.get('parted', ()): assert 'llama.cpp' in name and place['gap'] < 0.01, (name, found) # It rounds what it multiplies to float16


@pytest.mark.skipif(not libraries(), reason='llama.cpp is not here: pip install xllamacpp')
def test_every_tokenizer_gives_the_same_ids(tmp_path):
    pytest.importorskip('transformers')
    import exports
    found = exports.words(SHIPPED, tmp_path)
    assert found['texts'] > 15 and {'engine', 'transformers'} < found['different'].keys()
    assert not any(found['different'].values()) and found['chat_same'] and found['template_same']


def served(xllamacpp, path):
    "llama.cpp's server on a file: what its routes answer."
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.use_jinja, params.warmup, params.special, params.cpuparams.n_threads = str(path), 1024, True, False, True, 1
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); params.port = s.getsockname()[1]
    server = xllamacpp.Server(params)
    def ask(route, **body):
        with urllib.request.urlopen(urllib.request.Request(server.listening_address + route, json.dumps(body).encode(), {'Content-Type': 'application/json'}), timeout=60) as r: return json.load(r)
    return server, ask


def test_llama_cpp_shows_tools_the_same(tmp_path):
    xllamacpp = pytest.importorskip('xllamacpp')
    server, ask = served(xllamacpp, export_gguf(SHIPPED, tmp_path)['out'])
    def theirs(**body): return ask('/apply-template', **body)['prompt']
    odd = {k: {'type': t} for k, t in (('items', 'array'), ('keys', 'object'), ('name', ['integer', 'null']), ('type', 'string'), ('ñ "q"', 'number'))}
    odd |= {'a': {'enum': [1, None, True, 2.5, 'x|y']}, 'b': {'enum': ['x', 'ñ']}, 'c': {'type': 'string', 'enum': ['x', 'ñ']}, 'd': {'anyOf': [{'type': 'integer'}, {'type': 'null'}]}, 'e': {}, 'g': {'type': 'string', 'format': 'date'}}
    odd = [{'name': 'a'}, {'name': 'b', 'description': '\n\nOne. / Uno.\nMore', 'parameters': {}}, {'name': 'c', 'parameters': {'properties': odd, 'required': ['items', 'b', 'ñ "q"']}}]
    call = dict(id='1', type='function', function=dict(name='set_timer', arguments='{"minutes": 2.5, "label": "té"}'))
    user, assistant, tool = dict(role='user', content='¿Qué hora es?'), dict(role='assistant', content='', tool_calls=[call]), dict(role='tool', content='{"ok": true}', tool_call_id='1')
    for offered in (json.loads((data_dir() / 'tools.json').read_text('utf-8')), odd):
        offered = [dict(type='function', function=t) for t in offered]
        for talk in ([user], [dict(role='system', content='Eres THAU.'), user, assistant, tool], [user, assistant | dict(content='Voy.'), tool, dict(role='assistant', content='Ya.'), user]):
            assert theirs(messages=talk, tools=offered) == render(talk, offered, add_generation_prompt=True)


def test_llama_cpp_speaks_and_calls_from_the_folder_for_ollama(tmp_path):
    xllamacpp = pytest.importorskip('xllamacpp')
    made = Path(export_ollama(SHIPPED, tmp_path / 'thau', 'q8_0')['out'])
    page = (made / 'Modelfile').read_text('utf-8')
    server, ask = served(xllamacpp, made / re.search(r'^FROM \./(.+)$', page, re.M)[1])
    stops = re.findall(r'^PARAMETER stop "(.+)"$', page, re.M)
    assert stops == ['<|im_end|>', '<|endoftext|>'] and not any(stop in '</tool_call></tool_response>' for stop in stops)
    said = ask('/v1/chat/completions', messages=[dict(role='user', content='Hola')], max_tokens=200, temperature=0, stop=stops)['choices'][0]
    assert said['message']['content'] and '<|im_' not in said['message']['content']
    timer, user = json.loads((data_dir() / 'tools.json').read_text('utf-8'))[5], dict(role='user', content='Pon un temporizador de diez minutos')
    prompt = ask('/apply-template', messages=[user], tools=[dict(type='function', function=timer)])['prompt']
    said = ask('/completion', prompt=prompt, grammar=gbnf([timer], None, most=1), n_predict=200, temperature=1., seed=3, stop=stops)['content']
    assert [c['name'] for c in parse(said, [timer]).calls] == [timer['name']] == ['set_timer']


def test_every_age_for_ollama(tmp_path):
    from thau.engine.tokenizer import ThauTokenizer
    from thau.growth.ages import LADDERS
    from thau.growth.directory import Model, save_model
    from thau.growth.transformer import Transformer
    for age, shape in LADDERS['nursery'].items():
        save_model(Model(Transformer(shape, 0), ThauTokenizer.from_ladder(), dict(ladder='nursery', age=age)), tmp_path / 'model')
        made = Path(export_ollama(tmp_path / 'model', tmp_path / 'thau', 'q4_0')['out'])
        page = (made / 'Modelfile').read_text('utf-8')
        file = made / re.search(r'^FROM \./(.+)$', page, re.M)[1]
        assert file.name.startswith(f'thau-age{age:02}-nursery-') and source_of(file).shape == shape
        assert f'PARAMETER num_ctx {shape.context}\n' in page and GO_TEMPLATE in page
        for folder in (tmp_path / 'model', made): shutil.rmtree(folder)


GO = shutil.which('go') or next(map(str, sorted(Path('/usr/lib').glob('go-*/bin/go'))), None)

@pytest.mark.skipif(not GO, reason='Go is not here: apt install golang-go')
def test_both_templates_say_the_same():
    "But for what the chapter says that Go's cannot."
    user, assistant, tool = dict(role='user', content='¿Qué hora es <|im_end|> & "ya"?\n'), dict(role='assistant', content=''), dict(role='tool', content='{"ok": true}')
    call = lambda **kw: dict(type='function', function=dict(name='set_timer', arguments=kw))
    talks = [[user], [dict(role='system', content='Eres THAU.'), user], [user, assistant | dict(tool_calls=[call(label='té', minutes=2.5)]), tool, assistant | dict(content='Ya.'), user],
             [dict(role='system', content='S'), user, assistant | dict(content='Voy.', tool_calls=[call(a=1, b=None, c=True), call()]), tool, user]]
    ours = [plain(t) for t in json.loads((data_dir() / 'tools.json').read_text('utf-8'))]
    odd = dict(a=dict(type='integer'), b=dict(type='string', enum=['x', 'y z']), c=dict(type='array'), d=dict(enum=['x', 'y z'], type='string'), e=dict(type='boolean'), f=dict(type='object'), g=dict(type='number'), h={})
    offered = [], [dict(type='function', function=t) for t in ours], [dict(type='function', function=dict(name='x', description='', parameters=dict(type='object', properties=odd, required=['b', 'g'])))]
    cases = [dict(messages=talk, tools=tools) for talk in talks for tools in offered]
    done = subprocess.run([GO, 'run', ROOT / 'tests' / 'ollama_template.go'], input=json.dumps(dict(template=GO_TEMPLATE, cases=cases)), text=True, capture_output=True, env=os.environ | dict(GO111MODULE='off'))
    assert done.returncode == 0, done.stderr
    for case, said in zip(cases, json.loads(done.stdout), strict=True): assert said == render(case['messages'], case['tools'], add_generation_prompt=True)


def plain(tool):
    "A tool as Ollama hands it to Go: parameters by the alphabet, without formats; and a description of one line."
    given = tool['parameters']
    fields = {k: {n: v for n, v in f.items() if n != 'format'} for k, f in sorted(given['properties'].items())}
    return tool | dict(description=tool['description'].split(' / ')[0], parameters=given | dict(properties=fields))


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='reads its memory from /proc')
def test_export_needs_little_memory(tmp_path):
    from thau.engine.gguf_model import wanted
    from thau.engine.shape import to_config
    from thau.growth.ages import shape_of
    from thau.growth.safetensors_file import _table
    shape = shape_of('main', 3)
    head, _, end = _table({f'model.{n}': ('F32', rows, cols) for n, rows, cols in wanted(shape).values()})
    with open(tmp_path / 'model.safetensors', 'wb') as f:
        f.write(head)
        f.truncate(len(head) + end) # Zeros, which take no room
    (tmp_path / 'config.json').write_text(json.dumps(to_config(shape)))
    (tmp_path / 'tokenizer.json').write_bytes((data_dir() / 'tokenizers/main/tokenizer.json').read_bytes())
    done = in_child('thau.growth.export:export_gguf', model=str(tmp_path), out=str(tmp_path / 'x.gguf'))
    assert done['peak_rss_mb'] - done['bare_rss_mb'] < 3 * 4 * shape.vocab_size * shape.d_model / 2**20 < end / 2**20 / 3


def test_the_command(tmp_path):
    for to, type, out in (('gguf', 'q8_0', 'x.gguf'), ('gguf', None, '.'), ('hf', 'f16', 'hf'), ('hf', None, 'same'), ('ollama', None, 'ollama')):
        done = thau('export', SHIPPED, '--to', to, *(['--type', type] if type else []), '--out', tmp_path / out, '--json')
        assert done.returncode == 0 and done.stdout.count('\n') == 1, done.stderr
        made = json.loads(done.stdout)
        files = [p for p in Path(made['out']).rglob('*') if p.is_file()] or [Path(made['out'])]
        assert made.keys() == {'out', 'bytes'} and made['bytes'] == sum(p.stat().st_size for p in files)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['hf', 'ollama', 'same', 'thau-age06-nursery-4.0M-F16.gguf', 'x.gguf']
    how = ['--prompt', 'La gata', '--tokens', '8', '--temperature', '0', '--json']
    said = [json.loads(thau('generate', tmp_path / name, *how).stdout)['tokens'] for name in ('thau-age06-nursery-4.0M-F16.gguf', 'hf', 'same')]
    assert said[0] == said[1] == said[2] == json.loads(thau('generate', SHIPPED, *how).stdout)['tokens']
    code = f'import sys; from thau.cli.main import run; assert not run(["export", "--to", "gguf", "--out", {str(tmp_path / "y.gguf")!r}]); assert not {{"torch", "transformers"}} & {{*sys.modules}}'
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, env=ENV).returncode == 0


def test_what_is_refused_leaves_nothing(tmp_path):
    (tmp_path / 'book.txt').write_text('mine')
    (tmp_path / 'cut.gguf').write_bytes(b'GGUF' + bytes(40))
    export_hf(SHIPPED, tmp_path / 'model')
    before = {p: p.read_bytes() for p in tmp_path.rglob('*') if p.is_file()}
    out = tmp_path / 'x'
    for args, why in ((('--to', 'onnx', '--out', out), 'there are gguf, hf and ollama'), (('--to', 'ollama', '--out', tmp_path / 'model'), 'is already there'), (('--to', 'gguf', '--type', 'q5_k', '--out', out), 'f16, q8_0, q4_0, not q5_k'),
                      (('--to', 'hf', '--type', 'q8_0', '--out', out), 'f32, f16, bf16, not q8_0'), (('--to', 'gguf', '--out', tmp_path / 'book.txt'), 'is no GGUF file'),
                      (('--to', 'hf', '--out', tmp_path / 'book.txt'), 'is already there'), (('--to', 'hf', '--out', tmp_path / 'model'), 'is already there'),
                      (('--to', 'gguf', '--out', tmp_path / 'no' / 'x'), 'no such folder'), (('--to', 'hf', '--out', tmp_path / 'no' / 'x'), 'no such folder'), (('--out', out), "'--to'"), (('--to', 'hf'), "'--out'")):
        assert why in refused('export', SHIPPED, *args)
    for file in ('book.txt', 'cut.gguf', 'none'): assert str(tmp_path / file) in refused('export', tmp_path / file, '--to', 'gguf', '--out', out)
    assert before == {p: p.read_bytes() for p in tmp_path.rglob('*') if p.is_file()}


def test_a_full_disk_keeps_the_old_file(tmp_path):
    export_gguf(SHIPPED, tmp_path / 'x.gguf', 'q4_0')
    before, small = (tmp_path / 'x.gguf').read_bytes(), lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
    for to, out in (('gguf', tmp_path / 'x.gguf'), ('hf', tmp_path / 'hf')):
        assert f'cannot write {out}' in refused('export', SHIPPED, '--to', to, '--out', out, code=1, preexec_fn=small)
    assert [p.name for p in tmp_path.iterdir()] == ['x.gguf'] and (tmp_path / 'x.gguf').read_bytes() == before
