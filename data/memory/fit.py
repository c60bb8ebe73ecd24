"""Fits rank.json, the worth of the signs that memory search ranks by: on the DEV half of the hand-written log, an invented life in DEV phrasings, and a life made of told.txt.
Run: python data/memory/fit.py [--cache DIR]  (about 8 minutes, most of it embedding)"""
import argparse, sys
from pathlib import Path
import numpy as np
from thau.engine.files import write_json
from thau.memory.embed import embedder
from thau.memory.index import Index, vectors
from thau.memory.rank import confidence_signs
from thau.memory.recall import asked_time, judged, moment, open_question, visible
from thau.memory.terms import content
from thau.memory.times import without
from thau.memory.trial import Life, log, questions

sys.path.insert(0, str(Path(__file__).resolve().parent))
from told import life

SHARES, SURE = (.45, .2, .35), (.65, .35, 0) # Of the log, the invented life, what told.txt tells: in the ranking, and in its confidence, which learns no better from more

def memory(rows, name, cache):
    "An index of `rows`, its vectors kept in `cache`."
    file = cache and Path(cache)/f'V_{name}.npy'
    v = np.load(file, allow_pickle=False) if file and file.exists() else vectors(rows, embedder())
    if file and not file.exists(): np.save(file, v)
    index = Index(embedder()); index.add(rows, v)
    return index.ready()

def examples(index, cases):
    "(signs, answers 0/1, query and match, kind, number of answers) of every question."
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

def table(signs):
    "Dicts of signs as rows."
    return np.concatenate([np.stack([*x.values()], -1).reshape(-1, len(x)) for x in signs])

def ranking(data, weight, l2=.02, steps=150, rate=.05):
    "Worth of the signs, by Adam on a softmax over the candidates of each question."
    use = [(x, y, share) for (x, y, *_), share in zip(data, weight) if y.any()]
    x, y, share = table(x for x, *_ in use), np.concatenate([y for _, y, _ in use]), np.array([s for *_, s in use])
    sd = x.std(0) + 1e-6; x = x / sd
    n = [len(y) for _, y, _ in use]; at, of = np.r_[0, np.cumsum(n)[:-1]], np.repeat(np.arange(len(n)), n)
    w = m = v = np.zeros(x.shape[1])
    for t in range(1, steps + 1):
        z = x @ w; p = np.exp(z - np.maximum.reduceat(z, at)[of]); p /= np.add.reduceat(p, at)[of]
        g = l2 * w + x.T @ (share[of] * (p - p * y / np.add.reduceat(p * y, at)[of]))
        m, v = .9 * m + .1 * g, .99 * v + .01 * g * g
        w = w - rate * (1 - .8 * t / steps) * m / (1 - .9 ** t) / (np.sqrt(v / (1 - .99 ** t)) + 1e-6)
    return dict(zip(use[0][0], w / sd))

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
    ap = argparse.ArgumentParser(); ap.add_argument('--cache'); args = ap.parse_args()
    (rows, asked), made, (told_rows, told_asked) = log(), Life('D', 2500, 1), life()
    sets = [list(examples(memory(r, name, args.cache), cases)) for r, name, cases in (
        (rows, 'log', [c for c in asked if c['split'] == 'dev']), (made.rows, 'D2500_1', questions(made, 400)), (told_rows, 'told_1', told_asked))]
    data, (share, sure) = [e for s in sets for e in s], [np.concatenate([np.full(len(s), p / len(s)) for s, p in zip(sets, parts)]) for parts in (SHARES, SURE)]
    w = ranking(data, share)
    sure_of = [confidence_signs(q, m, x, sum(w[name] * v for name, v in x.items())) for x, _, (q, m), *_ in data]; x = table(sure_of); y = np.array([n > 0 for *_, n in data], float)
    x, y, sure = x[sure > 0], y[sure > 0], sure[sure > 0]
    even = sure * np.where(y == 1, 1, y.sum() / (1 - y).sum())
    worth, bias = logistic(x, y, even)
    p = 1 / (1 + np.exp(-(x @ worth + bias)))
    threshold = float(np.quantile(p[y == 0], .9))
    write_json(Path(__file__).resolve().parent/'rank.json', dict(rank={k: round(float(v), 4) for k, v in w.items()}, confidence=dict(zip(sure_of[0], worth.round(4).tolist())), bias=round(float(bias), 4), threshold=round(min(threshold, .6), 3)))
    print('threshold', threshold, 'silent on answers', (p[y == 1] < threshold).mean(), 'at .5: absent', (p[y == 0] < .5).mean(), 'silent', (p[y == 1] < .5).mean())
