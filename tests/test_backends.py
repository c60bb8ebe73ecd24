"One model, three ways to run it: native and jit agree to the bit, torch agrees in what it says; and the smallest process carries nothing."
import json, os, subprocess, sys

import pytest

from thau.engine.files import shipped_model
from thau.engine.generate import Generator
from thau.engine.native import load
from thau.engine.packing import source_of, write_pack
from thau.engine.shape import Shape
from thau.engine.tokenizer import ThauTokenizer

PROMPTS = 'Había una vez', 'The cat sleeps on', '¿Quién eres? ñ 2041', 'a' * 300
BITS = None, 8, 4


def run(*args, **env):
    here = {k: v for k, v in os.environ.items() if k != 'PYTHONDONTWRITEBYTECODE'} | env
    return subprocess.run([sys.executable, *map(str, args)], capture_output=True, text=True, timeout=240, env=here)


def answered(*args, **env):
    done = run(*args, **env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope='session')
def packs(tmp_path_factory):
    folder = tmp_path_factory.mktemp('packs')
    return {bits: str(write_pack(source_of(shipped_model('micro')), folder / f'{bits}.thau', bits)) for bits in BITS}


@pytest.fixture(scope='session')
def single(tmp_path_factory):
    "A model directory of float32 weights, untrained: its tokens are all nearly as likely, so that small errors would show."
    from thau.growth.directory import Model, save_model
    from thau.growth.transformer import Transformer
    return save_model(Model(Transformer(Shape(96, 3, 3, 1, 256, context=512), seed=3), ThauTokenizer.from_ladder(), {}), tmp_path_factory.mktemp('single') / 'model')


@pytest.mark.parametrize('bits', BITS)
def test_native_and_jit_agree_to_the_bit(packs, bits):
    native, jit = (Generator(packs[bits], load(backend)) for backend in ('native', 'jit'))
    assert (native.lib.backend, jit.lib.backend) == ('native', 'jit')
    for how in (dict(temperature=0), dict(temperature=0.8, seed=1), dict(temperature=1.5, top_k=40, min_p=0.01, penalty=1.1, seed=2)):
        for prompt in PROMPTS: assert native.say(prompt, tokens=40, **how)['tokens'] == jit.say(prompt, tokens=40, **how)['tokens']
    for model in (native, jit): model.session.read(model.encode(PROMPTS[2]))
    assert bytes(native.session.logits()) == bytes(jit.session.logits())


@pytest.mark.parametrize('which', ['shipped', 'float32'])
def test_torch_says_the_same_on_float_weights(single, which):
    from thau.cli.models import by_torch
    name = None if which == 'shipped' else str(single)
    say, light = by_torch(name, 1), Generator.from_model(name)
    for prompt in PROMPTS:
        slow, quick = say(prompt, tokens=40, temperature=0), light.say(prompt, tokens=40, temperature=0)
        for field in ('text', 'tokens', 'prompt_tokens'): assert quick[field] == slow[field]


def test_two_threads_say_the_same_and_end_well(packs):
    code = f'''from thau.engine.generate import Generator
for i in range(40): print(Generator({packs[4]!r}, threads=2).say('La gata', tokens=3, temperature=0)['tokens'])'''
    done = run('-c', code)
    assert done.returncode == 0, done.stderr # A thread that looks at memory which is gone ends the process
    assert {*done.stdout.splitlines()} == {str(Generator(packs[4]).say('La gata', tokens=3, temperature=0)['tokens'])}


@pytest.mark.parametrize('bits', BITS)
def test_micro_says_what_generate_says(packs, bits):
    said = ['--prompt', 'Ana tiene un perro', '--tokens', 30, '--temperature', 0.7, '--seed', 5, '--json']
    micro = answered('-m', 'thau.engine.micro', packs[bits], *said)
    light = answered('-m', 'thau', 'generate', packs[bits], '--backend', 'native', *said)
    assert micro.keys() == light.keys() == {'text', 'tokens', 'prompt_tokens', 'tok_per_s', 'prefill_tok_per_s', 'peak_rss_mb'}
    for field in ('text', 'tokens', 'prompt_tokens'): assert micro[field] == light[field]


def test_micro_imports_the_standard_library_alone(packs):
    code = f'''import sys; before = {{*sys.modules}}
from thau.engine.micro import main
main([{packs[4]!r}, '--prompt', 'Hola', '--tokens', '3', '--json'])
print(*sorted({{*sys.modules}} - before))'''
    loaded = run('-c', code).stdout.splitlines()[-1].split()
    ours = {m for m in loaded if m.split('.')[0] == 'thau'}
    assert {m.split('.')[0] for m in {*loaded} - ours} <= sys.stdlib_module_names
    assert ours - {'thau', 'thau.engine'} <= {f'thau.engine.{m}' for m in ('bpe', 'bpe_kernel', 'files', 'generate', 'micro', 'native', 'pack', 'pieces', 'run')}
    assert not {'dataclasses', 'typing', 'pathlib', 'argparse', 'inspect', 'subprocess', 'tempfile', 'ssl', 'threading'} & {*loaded}


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='reads its memory from /proc')
def test_micro_is_small(packs):
    answered('-m', 'thau.engine.micro', packs[4], '--prompt', 'Hola', '--json') # Compiled modules are kept from here on
    assert answered('-m', 'thau.engine.micro', packs[4], '--prompt', 'Había una vez', '--tokens', 100, '--json')['peak_rss_mb'] < 16


def test_without_a_linker(packs, tmp_path, monkeypatch, capfd):
    from thau.cli.main import run as thau
    here = dict(PATH='', CC='', THAU_CACHE=str(tmp_path))
    said = 'generate', packs[4], '--prompt', 'La gata', '--tokens', '8', '--temperature', '0', '--json'
    native = run('-m', 'thau', *said, '--backend', 'native', **here)
    assert (native.returncode, native.stdout) == (1, '') and 'C linker (cc, gcc or clang)' in native.stderr.splitlines()[-1] and 'Traceback' not in native.stderr
    with monkeypatch.context() as without: # In this process, which has compiled the kernels already
        for name, value in here.items(): without.setenv(name, value)
        assert thau([*said]) == 0
    out, err = capfd.readouterr()
    assert 'going on with jit' in err
    assert json.loads(out)['tokens'] == Generator(packs[4]).say('La gata', tokens=8, temperature=0)['tokens']
    assert not [*tmp_path.glob('kernels-*')]


def test_bad_input_of_micro_is_one_line(packs, tmp_path):
    (tmp_path / 'x.thau').write_bytes(open(packs[4], 'rb').read()[:5000])
    for args, why in ([tmp_path / 'x.thau', '--prompt', 'a'], 'cut or altered'), ([tmp_path / 'y.thau', '--prompt', 'a'], 'no such file'), ([packs[4]], 'prompt is missing'), \
                     ([packs[4], '--prompt', 'a ' * 3000], 'tokens, the context 2048'), ([packs[4], '--prompt', 'a', '--tokens', 'x'], '--tokens needs'), ([packs[4], '--prompt', 'a', '--threads', 0], 'threads'):
        done = run('-m', 'thau.engine.micro', *args)
        assert (done.returncode, done.stdout, done.stderr.count('\n')) == (2, '', 1) and why in done.stderr, done.stderr
