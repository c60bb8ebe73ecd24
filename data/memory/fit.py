"""Fits rank.json, the worth of the signs that memory search ranks by: on invented lives in DEV phrasings and the DEV half of the hand-written log.
Run: python data/memory/fit.py [--cache DIR]  (about 6 minutes, most of it embedding)"""
import argparse, sys
from pathlib import Path
import numpy as np
from thau.engine.files import write_json
from thau.memory.embed import embedder
from thau.memory.index import Index, vectors
from thau.memory.rank import CONFIDENCE, FEATURES, confidence_signs, rank, read_query, weights
from thau.memory.recall import asked_time, judged, moment, open_question, visible
from thau.memory.terms import content
from thau.memory.times import without
from thau.memory.trial import Life, log, questions

def memory(rows, name, cache):
    "An index of `rows`, its vectors kept in `cache`."
    file = cache and Path(cache)/f'V_{name}.npy'
    v = np.load(file, allow_pickle=False) if file and file.exists() else vectors(rows, embedder())
    if file and not file.exists(): np.save(file, v)
    index = Index(embedder()); index.add(rows, v)
    return index.ready()

def examples(index, cases):
    "(signs, answers 0/1, confidence's ingredients, kind, number of answers) of every question."
    for c in cases:
        now = moment(c['now']); interval = asked_time(c['query'], now, c['tz']); bare = without(c['query'], interval)
        if interval and open_question(content(bare)): continue
        index.alive[:] = True
        index.drop(c.get('forgotten', ()))
        seen = visible(index, now.timestamp(), interval)
        if not len(seen): continue
        q, m, chosen, x = judged(index, bare, seen, now.timestamp())
        gold = {index.at[g] for g in c['gold']}
        yield x, np.array([i in gold for i in chosen], float), (q, m), c['kind'], len(gold)

def ranking(data, weight, l2=.02, steps=300, rate=.05):
    "Worth of the signs, by Adam on a softmax over candidates."
    sd = np.concatenate([x for x, *_ in data]).std(0) + 1e-6
    w = m = v = np.zeros(len(FEATURES))
    for t in range(1, steps + 1):
        g = l2 * w
        for (x, y, *_), share in zip(data, weight):
            if not y.any(): continue
            z = x / sd @ w; p = np.exp(z - z.max()); p /= p.sum()
            g = g - share * (x / sd).T @ (p * y / (p @ y) - p)
        m, v = .9 * m + .1 * g, .99 * v + .01 * g * g
        w = w - rate * m / (1 - .9 ** t) / (np.sqrt(v / (1 - .99 ** t)) + 1e-6)
    return w / sd

def logistic(x, y, weight, l2=.03, steps=2000, rate=.03):
    "Worth and bias of a probability."
    mu, sd = x.mean(0), x.std(0) + 1e-6; a = np.c_[(x - mu) / sd, np.ones(len(x))]
    w = m = v = np.zeros(a.shape[1])
    for t in range(1, steps + 1):
        g = a.T @ (weight * (1 / (1 + np.exp(-a @ w)) - y)) / weight.sum() + l2 * np.r_[w[:-1], 0]
        m, v = .9 * m + .1 * g, .99 * v + .01 * g * g
        w = w - rate * m / (1 - .9 ** t) / (np.sqrt(v / (1 - .99 ** t)) + 1e-6)
    return w[:-1] / sd, w[-1] - mu @ (w[:-1] / sd)

if __name__ == '__main__':
    ap = argparse.ArgumentParser(); ap.add_argument('--cache'); ap.add_argument('--log-share', type=float, default=.65); args = ap.parse_args()
    rows, asked = log()
    sets = [list(examples(memory(rows, 'log', args.cache), [c for c in asked if c['split'] == 'dev']))]
    lives = [Life('D', 2500, s) for s in (1,)]
    sets.append([e for s, life in zip((1,), lives) for e in examples(memory(life.rows, f'D2500_{s}', args.cache), questions(life, 400))])
    data = [e for s in sets for e in s]
    share = np.concatenate([np.full(len(s), p / len(s)) for s, p in zip(sets, (args.log_share, 1 - args.log_share))])
    w = ranking(data, share)
    x = np.stack([confidence_signs(q, m, x, x @ w) for x, _, (q, m), *_ in data]); y = np.array([n > 0 for *_, n in data], float)
    even = share * np.where(y == 1, 1, y.sum() / (1 - y).sum())
    worth, bias = logistic(x, y, even)
    p = 1 / (1 + np.exp(-(x @ worth + bias)))
    threshold = float(np.quantile(p[y == 0], .9))
    write_json(Path(__file__).resolve().parent/'rank.json', dict(rank=dict(zip(FEATURES, w.round(4).tolist())), confidence=dict(zip(CONFIDENCE, worth.round(4).tolist())), bias=round(float(bias), 4), threshold=round(min(threshold, .55), 3)))
    print('threshold', threshold, 'silent on answers', (p[y == 1] < threshold).mean(), 'at .5: absent', (p[y == 0] < .5).mean(), 'silent', (p[y == 1] < .5).mean())
