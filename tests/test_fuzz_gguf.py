"A thousand ways to break a GGUF file, and one answer: `FormatError`. Longer: python tests/test_fuzz_gguf.py 10000"
import faulthandler, random, resource, struct, subprocess, sys, time, warnings
from pathlib import Path

import numpy as np

from thau.engine.files import FormatError
from thau.engine.gguf_model import open_model

LENGTHS = 2**31, 2**32 - 1, 2**63, 2**64 - 1, 2**31 - 1, 2**20, 1, 0


def text(s): return struct.pack('<Q', len(s)) + s

def fact(name, value):
    "A fact: bytes are a text, a list is of texts, an array is of int32."
    if isinstance(value, bytes): return text(name) + struct.pack('<I', 8) + text(value)
    if isinstance(value, bool): return text(name) + struct.pack('<IB', 7, value)
    if isinstance(value, float): return text(name) + struct.pack('<If', 6, value)
    if isinstance(value, int): return text(name) + struct.pack('<II', 4, value)
    if isinstance(value, list): return text(name) + struct.pack('<IIQ', 9, 8, len(value)) + b''.join(map(text, value))
    return text(name) + struct.pack('<IIQ', 9, 5, len(value)) + value.tobytes()

def sound():
    "The facts and tensors of a small sound file, as pieces of bytes: `(facts, entries, data)`."
    tokens = [b'<|endoftext|>', b'<|im_start|>', b'<|im_end|>', *(bytes([c]) for c in range(33, 127)), b'ab', b'abc']
    facts = {b'general.architecture': b'llama', b'general.name': 'niña'.encode(), b'llama.embedding_length': 32, b'llama.block_count': 1, b'llama.attention.head_count': 2,
             b'llama.attention.head_count_kv': 1, b'llama.feed_forward_length': 64, b'llama.context_length': 64, b'llama.rope.freq_base': 1e4, b'llama.rope.dimension_count': 16,
             b'llama.attention.layer_norm_rms_epsilon': 1e-5, b'tokenizer.ggml.model': b'gpt2', b'tokenizer.ggml.pre': b'smollm', b'tokenizer.ggml.tokens': tokens,
             b'tokenizer.ggml.token_type': np.int32([3] * 3 + [1] * (len(tokens) - 3)), b'tokenizer.ggml.merges': [b'a b', b'ab c'], b'tokenizer.ggml.bos_token_id': 0,
             b'tokenizer.ggml.eos_token_id': 2, b'tokenizer.ggml.add_bos_token': False, b'tokenizer.chat_template': b'{{ messages }}'}
    kinds = {'F32': (0, 1, 4), 'F16': (1, 1, 2), 'Q8_0': (8, 32, 34), 'Q4_0': (2, 32, 18), 'Q4_1': (3, 32, 20), 'Q5_0': (6, 32, 22), 'Q5_1': (7, 32, 24), 'BF16': (30, 1, 2)}
    sizes = [('token_embd', 'Q8_0', len(tokens), 32), ('output_norm', 'F32', 1, 32), ('blk.0.attn_norm', 'F32', 1, 32), ('blk.0.attn_q', 'Q4_0', 32, 32),
             ('blk.0.attn_k', 'Q4_1', 16, 32), ('blk.0.attn_v', 'F16', 16, 32), ('blk.0.attn_output', 'Q5_0', 32, 32), ('blk.0.ffn_norm', 'F32', 1, 32),
             ('blk.0.ffn_gate', 'Q5_1', 64, 32), ('blk.0.ffn_up', 'BF16', 64, 32), ('blk.0.ffn_down', 'Q8_0', 32, 64)]
    entries, data = [], b''
    for name, kind, rows, cols in sizes:
        number, block, size = kinds[kind]
        dims = [cols] if rows == 1 else [cols, rows]
        entries.append(text(f'{name}.weight'.encode()) + struct.pack(f'<I{len(dims)}QIQ', len(dims), *dims, number, len(data)))
        raw = bytes(0x3c if i % size == 1 else 7 for i in range(rows * cols // block * size)) # Finite, whatever it is
        data += raw + bytes(-len(raw) % 32)
    return [fact(*f) for f in facts.items()], entries, data

def joined(facts, entries, data, version=3):
    "The file that these pieces make."
    head = b'GGUF' + struct.pack('<IQQ', version, len(entries), len(facts)) + b''.join(facts) + b''.join(entries)
    return head + bytes(-len(head) % 32) + data

def put(data, at, code, value): return data[:at] + struct.pack(code, value) + data[at + struct.calcsize(code):]

def flip(rng, facts, entries, data):
    "Some bytes, mostly of the tables."
    out = bytearray(joined(facts, entries, data))
    for _ in range(rng.choice((1, 1, 2, 8, 64))): out[rng.randrange(len(out) if rng.random() < .2 else len(out) - len(data))] = rng.choice((0, 1, 9, 127, 255, rng.randrange(256)))
    return bytes(out)

def length(rng, facts, entries, data):
    "A number of eight bytes, or of four, that cannot be."
    out = joined(facts, entries, data)
    return put(out, rng.choice((8, 16, rng.randrange(24, len(out) - len(data) - 8))), '<Q', rng.choice(LENGTHS)) if rng.random() < .6 else put(out, rng.randrange(4, len(out) - 4), '<I', rng.choice(LENGTHS) & 0xffffffff)

def cut(rng, facts, entries, data):
    out = joined(facts, entries, data)
    return out[:rng.randrange(len(out))] + bytes(rng.choice((0, 0, 5, 4096)))

def nest(rng, facts, entries, data):
    "Lists of lists of lists."
    depth = rng.choice((1, 2, 100, 100_000))
    return joined([*facts, text(b'deep') + struct.pack('<I', 9) + struct.pack('<IQ', 9, 1) * depth + struct.pack('<IQI', 4, 1, 7)], entries, data)

def twice(rng, facts, entries, data):
    "A fact, a tensor, a token or a place given twice."
    i, j = rng.randrange(len(facts)), rng.randrange(len(entries))
    if rng.random() < .3: return joined([*facts, facts[i]], entries, data)
    if rng.random() < .5: return joined(facts, [*entries, entries[j]], data)
    return joined(facts, [e[:-8] + entries[j][-8:] if k == (j + 1) % len(entries) else e for k, e in enumerate(entries)], data)

def retype(rng, facts, entries, data):
    "A fact of another type, with a value of that type; or a tensor of another kind or size."
    name = facts[i := rng.randrange(len(facts))][8:8 + struct.unpack('<Q', facts[i][:8])[0]]
    value = rng.choice((b'x', b'', b'\xff', True, -1.0, float('nan'), float('inf'), 0, 1, 2**31, 2**32 - 1, [], [b''], [b'a', b'a'], [b'a b'] * 9, np.int32([1] * 99), np.int32([])))
    if rng.random() < .7: return joined([fact(name, value) if k == i else f for k, f in enumerate(facts)], entries, data)
    e = entries[j := rng.randrange(len(entries))]
    n = struct.unpack('<Q', e[:8])[0]
    at, code, new = rng.choice(((8 + n, '<I', rng.choice((0, 1, 3, 4, 2**32 - 1))), (12 + n, '<Q', rng.choice(LENGTHS)), (len(e) - 12, '<I', rng.randrange(45)), (len(e) - 8, '<Q', rng.choice((32, *LENGTHS)))))
    return joined(facts, [put(e, at, code, new) if k == j else x for k, x in enumerate(entries)], data)

def lose(rng, facts, entries, data):
    "A fact or a tensor less, or in another order, or an older version."
    facts, entries = facts[:], entries[:]
    for pieces in rng.choices((facts, entries), k=rng.choice((1, 1, 3))): pieces.pop(rng.randrange(len(pieces)))
    rng.shuffle(facts)
    return joined(facts, entries, data, rng.choice((2, 3, 3, 1, 4, 3 << 24)))

def crowd(rng, facts, entries, data):
    "Very many facts, tensors or texts, all of them there."
    n = rng.choice((1000, 70_000, 300_000))
    if rng.random() < .4: return joined([*facts, *(text(b'%d' % i) + struct.pack('<IB', 7, 1) for i in range(n))], entries, data)
    if rng.random() < .4: return joined(facts, [*entries, *(text(b't%d' % i) + struct.pack('<IQIQ', 1, 1, 0, 0) for i in range(n))], data)
    return joined([*facts, text(b'long') + struct.pack('<IIQ', 9, 8, 5 * n) + (text(b'') if n % 7 else text(b'ab')) * (5 * n)], entries, data)

MUTATIONS = [flip, length, cut, nest, twice, retype, lose]

def read(path):
    "Everything that can be read of a file."
    model = open_model(path)
    for name, w in model.weights(): assert (w.q if hasattr(w, 'q') else w).size, name
    model.tokenizer_json(), model.chat_template, model.bos, model.eos, model.about

def try_all(n, folder, most=2.0):
    "Mutate `n` times; how many were refused, the slowest in seconds, and by how many MB the process grew."
    pieces, path, rng = sound(), folder/'bad.gguf', random.Random(0)
    path.write_bytes(joined(*pieces))
    read(path)
    before, refused, slowest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0, 0
    for i in range(n):
        mutate = crowd if i % 100 == 99 else MUTATIONS[i % len(MUTATIONS)]
        path.write_bytes(mutate(rng, *pieces))
        start = time.perf_counter()
        try: read(path)
        except FormatError as e: refused += 1; assert '\n' not in str(e) and len(str(e)) < 600, str(e)
        except BaseException: print(f'mutation {i}, {mutate.__name__}', file=sys.stderr); raise
        took = time.perf_counter() - start
        assert took < most, f'mutation {i}, {mutate.__name__}, took {took:.1f} s'
        slowest = max(slowest, took)
    return refused, slowest, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024

def test_broken_files_are_refused_and_nothing_worse(tmp_path):
    "In a process of its own, so that a crash or a hang is a failed test."
    got = subprocess.run([sys.executable, __file__, '1000', tmp_path], capture_output=True, text=True, timeout=300)
    assert got.returncode == 0, got.stderr[-3000:]
    refused, slowest, grown = map(float, got.stdout.split())
    assert refused > 600 and grown < 512

if __name__ == '__main__':
    faulthandler.enable(); warnings.simplefilter('error')
    if len(sys.argv) > 2: print(*try_all(int(sys.argv[1]), Path(sys.argv[2])))
    else:
        import tempfile
        with tempfile.TemporaryDirectory() as folder: print('{} refused, the slowest in {:.2f} s, {:.0f} MB more'.format(*try_all(int(sys.argv[1]), Path(folder))))
