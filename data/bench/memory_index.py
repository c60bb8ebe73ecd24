"""Is every stored item first for its own vector? 10,000 items with neighbours close by, opened three times; and how fast both ways answer.

    python data/bench/memory_index.py [items]     into data/bench/memory_index.json"""
import platform, sys, tempfile, time
from pathlib import Path

import numpy as np

from thau.engine.files import write_json
from thau.memory.chroma import ChromaIndex, nearest_of, unit_rows
from thau.memory.record import Record, entry

def items(n, dim=384, seed=0):
    "Vectors in crowds: each near one of n / 50 centres, as sentences are."
    dice = np.random.default_rng(seed)
    centres = dice.normal(size=(max(1, n // 50), dim))
    vectors = centres[dice.integers(len(centres), size=n)] + .4 * dice.normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)

def timed(ask, vectors):
    "Share of vectors that are first for themselves, and the 95th percentile in ms."
    took, right = [], 0
    for i, v in enumerate(vectors):
        t = time.perf_counter()
        right += ask(v)[0][0] == f'm{i}'
        took.append(time.perf_counter() - t)
    return right, round(1000 * float(np.percentile(took, 95)), 2)

def measure(n):
    with tempfile.TemporaryDirectory() as tmp, Record(Path(tmp)/'memory') as record:
        record.add([entry(f'item {i}', '2026-03-02T10:00:00Z', f'm{i}') for i in range(n)])
        record.put_vectors([f'm{i}' for i in range(n)], items(n), 'toy')
        ids, vectors = unit_rows(record)
        exact, chroma = timed(lambda v: nearest_of(ids, vectors, v, 5), vectors), []
        for _ in range(3):
            t = time.perf_counter()
            with ChromaIndex(record) as index:
                opened = round(time.perf_counter() - t, 2)
                right, ms = timed(lambda v: index.nearest(v, 5), vectors)
            chroma.append(dict(first_for_itself=right, p95_ms=ms, open_s=opened))
    return dict(items=n, dim=384, exact=dict(first_for_itself=exact[0], p95_ms=exact[1]), chroma=chroma, machine=platform.processor() or platform.machine())

if __name__ == '__main__':
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    write_json(Path(__file__).with_suffix('.json'), found)
    print(found)
