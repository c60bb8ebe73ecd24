"""A life made of `told.txt`, for fitting: each thing is told in one of its languages with small talk around it, some of it changes, some is never told."""
import random, re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from thau.memory.trial import phrasings

HERE = Path(__file__).resolve().parent

def told():
    "What is told (and, if it changes, told anew) and asked, by language; `was`: asked as it was before; `near`: turns near it that do not answer."
    items = []
    for l in (HERE/'told.txt').read_text(encoding='utf-8').splitlines():
        if not l or l[0] == '#': continue
        if l[:2] == '~ ': items[-1]['near'].append(l[2:]); continue
        c = [x.strip() for x in re.sub(r'^[*?] ', '', l).split(' | ')]
        pair = lambda k: dict(zip(('es', 'en'), (x.split(' / ') for x in c[k:k + 2])))
        if l[:2] == '? ': items[-1]['was'] = dict(es=c[0], en=c[1]); continue
        new = pair(2) if l[:2] == '* ' else None
        items.append(dict(tell=pair(0), new=new, ask=dict(zip(('es', 'en'), c[4 if new else 2:])), was=None, near=[]))
    return [dict(it, k=k) for k, it in enumerate(items)]

def _turns(rng, echo, parts, lang, tag):
    "What is said before, the telling itself (with its tag), and sometimes an echo."
    turns = [('user', lang, p, tag if i == len(parts) - 1 else None) for i, p in enumerate(parts)]
    return turns + [('thau', lang, rng.choice(echo[lang]), None)] * (rng.random() < .6)

def _blocks(rng, items, lists):
    "(moment 0-1, turns) of what is told, of what is near it, and of small talk; which items are told."
    echo = {l: lists['echo', l] for l in ('es', 'en')}; blocks, here = [], []
    for it in items:
        there = rng.random() < .6; at = rng.random() * .85
        blocks += [(rng.random(), [('user', 'es', x, None)]) for x in it['near'] if there or rng.random() < .6]
        if not there: continue
        here.append(it); it['lang'] = rng.choice(('es', 'es', 'en')); blocks.append((at, _turns(rng, echo, it['tell'][it['lang']], it['lang'], (it['k'], 0))))
        if it['new']: lang = rng.choice(('es', 'en')); blocks.append((at + (1 - at) * (.1 + .9 * rng.random()), _turns(rng, echo, it['new'][lang], lang, (it['k'], 1))))
    for _ in range(160):
        lang = rng.choice(('es', 'es', 'en')); blocks.append((rng.random(), [('thau' if i % 2 else 'user', lang, x.strip(), None) for i, x in enumerate(rng.choice(lists['chat', lang]).split('||'))]))
    return sorted(blocks, key=lambda b: b[0]), here

def life(seed=1):
    "Turns and questions about them."
    rng, items = random.Random(seed), told()
    blocks, here = _blocks(rng, items, phrasings()[1])
    rows, where, start, total = [], {}, datetime(2026, 2, 2, 8, tzinfo=timezone.utc), sum(len(b[1]) for b in blocks)
    for i, (_, turns) in enumerate(blocks):
        for who, lang, text, tag in turns:
            at, id_ = start + timedelta(seconds=len(rows) * 60 * 86400 / total), f't{len(rows):05d}'
            rows.append(dict(id=id_, utc=at.strftime('%Y-%m-%dT%H:%M:%SZ'), tz='Europe/Madrid', lang=lang, speaker=who, session=f's{i // 4}', text=text))
            if tag: where[tag] = id_
    return rows, _questions(items, here, where, (start + timedelta(days=60, hours=2)).isoformat())

def _questions(items, here, where, now):
    "In both languages: of what is told, of what changed, of what it was before, of what was never told."
    cases = []
    for it in items:
        for lang in ('es', 'en'):
            if it not in here: cases.append(dict(kind='absent', query=it['ask'][lang], lang=lang, gold=[])); continue
            new = bool(it['new']); case = dict(kind='update' if new else 'same' if lang == it['lang'] else 'cross', query=it['ask'][lang], lang=lang, gold=[where[it['k'], int(new)]])
            cases.append(case | dict(old=[where[it['k'], 0]]) if new else case)
            if it['was']: cases.append(dict(kind='history', query=it['was'][lang], lang=lang, gold=[where[it['k'], 0]]))
    return [dict(c, id=f'd{i:04d}', now=now, tz='Europe/Madrid') for i, c in enumerate(cases)]
