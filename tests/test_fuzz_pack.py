"""Altered packs and model directories: refused in one line, or run; never a crash, a hang or a great allocation.

pytest runs 1,000 packs and 200 directories; `python tests/test_fuzz_pack.py 10000` as many as it says."""
import json, os, random, subprocess, sys, time
from pathlib import Path

import pytest

SECONDS, MB, BATCH = 2, 512, 125 # Limits of one file and of a process; files that a process opens
NUMBERS = [0, -1, 1, 7, 16, 31, 32, 33, 64, 1000, 2**16, 2**20, 2**20 + 32, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1, -2**31, -2**63, 10**40]
OTHERS = [0.5, -0.0, 1e-45, 1e308, -1e308, float('nan'), float('inf'), True, None, '', 'a', '\ud800', 'x' * 5000, [], {}, [[]], {'a': {'a': []}}, [0, 0], [2**63, 2**63], [-64, 64]]
STRANGE = b'\xff\xff\xff\x7f', b'\x00\x00\xc0\x7f', b'\x00\x00\x80\xff', b'\x01\x00\x00\x00', b'\x00\x7c\x00\xfc', b'\x00\x7e\x00\x7e', b'\xff' * 4, bytes(4) # Not a number, infinite, next to nothing


def small_tokenizer():
    "The first 400 tokens of the nursery's tokenizer, as `tokenizer.json` has them."
    from thau.engine.files import data_dir, read_json
    spec = read_json(data_dir() / 'tokenizers' / 'nursery' / 'tokenizer.json')
    vocab = {t: i for t, i in spec['model']['vocab'].items() if i < 400}
    return spec | {'model': spec['model'] | {'vocab': vocab, 'merges': [m for m in spec['model']['merges'] if ''.join(m.split(' ') if isinstance(m, str) else m) in vocab]}}


def make_directory(folder):
    "A sound model directory, of random weights; more rows than tokens."
    import torch
    from thau.engine.shape import Shape
    from thau.engine.tokenizer import ThauTokenizer
    from thau.growth.directory import Model, save_model
    from thau.growth.transformer import Transformer
    torch.manual_seed(0)
    save_model(Model(Transformer(Shape(32, 2, 2, 1, 64, vocab_size=416, context=96), seed=1), ThauTokenizer.from_ladder(), {}), folder)
    (folder / 'manifest.json').unlink() # Altered files are to be read, not recognised
    (folder / 'tokenizer.json').write_text(json.dumps(small_tokenizer()))


def make_packs(folder):
    "Sound packs: float32, int8, int4."
    from thau.engine.packing import source_of, write_pack
    make_directory(folder / 'model')
    return [write_pack(source_of(folder / 'model'), folder / f'{bits}.thau', bits).read_bytes() for bits in (None, 8, 4)]


def places(value, path=()):
    "The path to every value of a JSON object."
    yield path
    for k, v in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else (): yield from places(v, (*path, k))


def altered_json(value, rng):
    "A copy with one value changed, dropped, doubled or exchanged for another."
    value = json.loads(json.dumps(value))
    paths = [p for p in places(value) if p]
    def inside(path):
        found = value
        for k in path[:-1]: found = found[k]
        return found, path[-1]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        try:
            (a, i), (b, j) = inside(rng.choice(paths)), inside(rng.choice(paths))
            match rng.randrange(6):
                case 0: del a[i]
                case 1: a[i], b[j] = json.loads(json.dumps((b[j], a[i])))
                case 2: a[i] = json.loads('[' * 400 + ']' * 400)
                case 3: a[i] = rng.choice(OTHERS)
                case 4 if type(a[i]) is int: a[i] += rng.choice((-64, -1, 1, 31, 32, 64, 4096))
                case _: a[i] = rng.choice(NUMBERS)
        except (LookupError, TypeError): pass # An earlier change took it away
    return value


def altered_header(pack, rng):
    "Other numbers in the header; the file's size remains what it says, mostly."
    size = int.from_bytes(pack[12:16], 'little')
    header = json.loads(pack[16:16 + size])
    first = min(place for _, place in header['tensors'].values())
    part = rng.choice(('shape', 'shape', 'shape', 'tensors', 'tensors', 'tokenizer', None))
    header = altered_json(header, rng) if part is None else header | {part: altered_json({part: header[part]}, rng).get(part)}
    text = json.dumps(header).encode()
    return pack[:12] + len(text).to_bytes(4, 'little') + (text + bytes(max(0, first - 16 - len(text))))[:first - 16] + pack[first:]


def altered_places(pack, rng):
    "Tensors and tokenizer exchange their places or kinds, or lie at the edge of the file, or far beyond."
    size, end = int.from_bytes(pack[12:16], 'little'), len(pack) // 64 * 64
    header = json.loads(pack[16:16 + size])
    entries, shape = [*header['tensors'].values(), header['tokenizer']], header['shape']
    for _ in range(rng.randrange(1, 4)):
        (a, b), which, other = rng.sample(entries, 2), rng.randrange(2), rng.choice(('vocab_size', 'context', 'n_layers', 'd_ff', 'n_heads', 'n_kv_heads'))
        match rng.randrange(4):
            case 0: a[which], b[which] = b[which], a[which]
            case 1: a[-1] = rng.choice((-64, 0, end - 64, end, end + 64, 2**31, 2**40, 2**62, 2**63 - 64, -2**40, len(pack) - a[-1]))
            case 2: entries[-1][rng.randrange(2)] = rng.choice((-64, end - 64, end, 2**31, 2**40, 2**62))
            case 3: shape[other] = max(1, rng.choice((shape[other] - 16, shape[other] + 16, 2 * shape[other], 32 * shape[other])))
    text = json.dumps(header).encode()
    return pack[:12] + len(text).to_bytes(4, 'little') + text + pack[16 + len(text):]


def altered_bytes(pack, rng):
    "Bits flipped, numbers written over, parts moved: in the header, in the tokenizer, among the weights."
    size = int.from_bytes(pack[12:16], 'little')
    header, b = json.loads(pack[16:16 + size]), bytearray(pack)
    for _ in range(rng.randrange(1, 9)):
        start, length = rng.choice([(0, 16), (16, size), header['tokenizer'], (header['tokenizer'][0], 96), (size, len(b) - size)])
        norm = rng.choice([place for name, (_, place) in header['tensors'].items() if 'norm' in name or name == 'frequencies'])
        start, length = rng.choice([(start, length), (norm, 64)])
        at = start + rng.randrange(length)
        match rng.randrange(5):
            case 0: b[at] ^= 1 << rng.randrange(8)
            case 1: b[at // 8 * 8:at // 8 * 8 + 8] = (rng.choice(NUMBERS[:-1]) % 2**64).to_bytes(8, 'little')
            case 2: b[at:at + 200] = rng.randbytes(len(b[at:at + 200]))
            case 3: b[at // 4 * 4:at // 4 * 4 + 64] = rng.choice(STRANGE) * 16
            case 4: b[at:at + 800] = b[-1600:][:len(b[at:at + 800])]
    return bytes(b)


def altered_pack(packs, seed):
    "One of `packs`, altered."
    rng = random.Random(seed)
    pack, how = rng.choice(packs), rng.random()
    if how < 0.1: return pack[:rng.choice((rng.randrange(16), rng.randrange(len(pack))))]
    return (altered_header if how < 0.35 else altered_places if how < 0.6 else altered_bytes)(pack, rng)


def alter_directory(folder, sound, seed):
    "Write the files of a model, one of them altered."
    rng = random.Random(seed)
    name = rng.choice(('tokenizer.json', 'tokenizer.json', 'config.json', 'generation_config.json', 'model.safetensors'))
    for other, data in sound.items():
        if other != name: (folder / other).write_bytes(data); continue
        if other.endswith('.json'): data = json.dumps(altered_json(json.loads(data), rng)).encode()
        elif rng.random() < 0.7:
            n = int.from_bytes(data[:8], 'little')
            text = json.dumps(altered_json(json.loads(data[8:8 + n]), rng)).encode()
            data = len(text).to_bytes(8, 'little') + text + data[8 + n:]
        (folder / other).write_bytes(data[:rng.randrange(len(data))] if rng.random() < 0.1 else data)


def speak(path, lib, seed):
    "Open a pack and let it speak; what it says is of its tokens."
    from thau.engine.generate import Generator
    model = Generator(path, lib, threads=1 + seed % 8 // 7)
    how = [dict(temperature=0), dict(temperature=0.8), dict(temperature=1e-9, top_k=3), dict(temperature=1, min_p=0.1, penalty=1.2)][seed % 4]
    said = model.say('La gata de la niña.', tokens=5, seed=seed, **how)
    assert all(0 <= i < model.tokenizer.vocab_size for i in said['tokens'])


def child(folder, kind, first, last):
    "Try some seeds; a line for each, begun before it can fail."
    import signal
    from thau.engine.files import BadInput
    from thau.engine.native import load
    from thau.engine.packing import source_of, write_pack
    packs = [p.read_bytes() for p in sorted(folder.glob('*.thau'))]
    sound = {p.name: p.read_bytes() for p in (folder / 'model').iterdir()}
    mine, lib = folder / f'{kind}-{first}', load(None)
    mine.mkdir()
    for seed in range(first, last):
        print(seed, end=' ', flush=True)
        pack = mine / 'x.thau'
        if kind == 'pack': pack.write_bytes(altered_pack(packs, seed))
        else: alter_directory(mine, sound, seed)
        signal.alarm(10 * SECONDS)
        start, outcome = time.perf_counter(), 'ran'
        try:
            if kind == 'directory': write_pack(source_of(mine), pack, (None, 8, 4)[seed % 3])
            speak(str(pack), lib, seed)
        except BadInput as e:
            outcome = 'refused'
            assert '\n' not in str(e) and len(str(e)) < 2000, e
        if time.perf_counter() - start > SECONDS: outcome = 'slow'
        print(outcome, flush=True)
        pack.unlink(missing_ok=True)
    with open('/proc/self/status') as f: print('peak', next(int(l.split()[1]) // 1024 for l in f if l.startswith('VmHWM')))


def fuzz(folder, kind, count):
    "How many files were refused, and how many ran; an error if any did neither."
    found = dict(refused=0, ran=0, peak=0)
    for first in range(0, count, BATCH):
        done = subprocess.run([sys.executable, __file__, '--child', folder, kind, str(first), str(min(count, first + BATCH))], capture_output=True, text=True)
        *lines, last = done.stdout.splitlines() or ['']
        assert done.returncode == 0, f'{kind} {last or lines[-1:]}: exit {done.returncode}\n{done.stderr[-3000:]}'
        slow = [l for l in lines if l.endswith('slow')]
        assert not slow, f'{kind}: {slow} took more than {SECONDS} s'
        for l in lines: found[l.split()[1]] += 1
        found['peak'] = max(found['peak'], int(last.split()[1]))
    assert found['peak'] < MB
    return found


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('fuzz')
    make_packs(folder)
    return folder


def test_rows_without_a_token_are_never_said(folder):
    from thau.engine.generate import Generator
    for bits in (None, 8, 4):
        model = Generator(str(folder / f'{bits}.thau'))
        assert (model.session.vocab, model.tokenizer.vocab_size) == (416, 400)
        said = [i for seed in range(40) for i in model.tokens([0], tokens=60, temperature=9, top_p=1, seed=seed)]
        assert len({*said}) > 250 and max(said) < 400


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='reads its memory from /proc')
@pytest.mark.parametrize('kind, count', [('pack', 1000), ('directory', 200)])
def test_altered_models_are_refused_or_run(folder, kind, count):
    found = fuzz(folder, kind, count)
    assert found['refused'] > count // 5 and found['ran'] > count // 20, found


if __name__ == '__main__':
    if sys.argv[1] == '--child': child(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        from tempfile import TemporaryDirectory
        with TemporaryDirectory() as tmp:
            make_packs(Path(tmp))
            for kind in ('pack', 'directory'): print(kind, fuzz(Path(tmp), kind, int(sys.argv[1]) // (1 if kind == 'pack' else 5)))
