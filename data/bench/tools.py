"""How well a model calls tools: phrasings, values and tools that no lesson has shown.

    python data/bench/tools.py MODEL… [--cases N] [--free] [--shuffled] [--fit]       a table on standard output; --out FILE writes it as JSON

Cases are the school's examinations (thau.school.calls, thau.school.invented), in Spanish and English alike. With --fit the decision's threshold is fitted first, to lessons and not to examinations, and kept beside
the model. With --free each case is answered once more without grammar and grounding; with --shuffled by the same network with its weights in disorder, which must know nothing."""
import argparse, json, tempfile, time
from datetime import date
from pathlib import Path
from random import Random
from statistics import median

from thau.engine.files import write_json
from thau.engine.generate import Generator
from thau.school import calls, invented
from thau.school.calls import calls_of
from thau.tools.predict import chance, fit_threshold, load_threshold, predict, prompted, save_threshold

NOW = date(2026, 5, 20)
GROUPS = dict(default=[s for s in calls.SKILLS if s.removeprefix('calls/') not in ('missing', 'result', 'error', 'near', 'chat', 'absent')], unseen=['invented/one', 'invented/choose', 'invented/parallel', 'invented/given'],
              chat=['calls/near', 'calls/chat', 'invented/talk'], absent=['calls/absent', 'invented/absent', 'calls/missing', 'invented/missing']) # The first two want calls
SKILLS = calls.SKILLS | invented.SKILLS

def make_cases(n, seed=0, exam=True):
    "Cases: `group`, `lang`, `messages`, `tools`, `wanted`."
    dice, out = Random(seed), []
    for group, names in GROUPS.items():
        for i in range(n):
            lang = ('es', 'en')[i % 2]
            lesson = SKILLS[names[i // 2 % len(names)]](dice, lang, exam)
            turns = lesson.messages if exam else lesson.messages[:next(k for k, m in enumerate(lesson.messages) if m['role'] == 'assistant') + 1] # A lesson goes on
            out.append(dict(id=f'{group}-{i}', group=group, lang=lang, messages=list(turns[:-1]), tools=list(lesson.tools), wanted=calls_of(turns)))
    return out

def same(a, b):
    "Are two lists of calls the same, in any order?"
    return sorted(json.dumps(c, sort_keys=True) for c in _plain(a)) == sorted(json.dumps(c, sort_keys=True) for c in _plain(b))

def _plain(value):
    "30.0 is 30."
    if isinstance(value, dict): return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list): return [_plain(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value

def share(rows): return round(sum(rows) / len(rows), 4) if rows else None

def score(cases, answers):
    "The measures of one run."
    pairs, out = list(zip(cases, answers, strict=True)), {}
    hit = sum(bool(c['wanted']) and bool(a['tool_calls']) for c, a in pairs)
    said, wanted = sum(bool(a['tool_calls']) for _, a in pairs), sum(bool(c['wanted']) for c, _ in pairs)
    out['f1'] = round(2*hit / max(said + wanted, 1), 4)
    out['false_calls_chat'] = share([bool(a['tool_calls']) for c, a in pairs if c['group'] == 'chat'])
    out['false_calls_absent'] = share([bool(a['tool_calls']) for c, a in pairs if c['group'] == 'absent'])
    for group in ('default', 'unseen'):
        rows = [(c, a) for c, a in pairs if c['group'] == group]
        out[f'{group}_name'] = share([sorted(x['name'] for x in a['tool_calls']) == sorted(x['name'] for x in c['wanted']) for c, a in rows])
        out[f'{group}_exact'] = share([same(a['tool_calls'], c['wanted']) for c, a in rows])
        by = [share([same(a['tool_calls'], c['wanted']) for c, a in rows if c['lang'] == lang]) for lang in ('es', 'en')]
        out[f'{group}_es'], out[f'{group}_en'] = by
    out['valid'] = share([not a.get('error') for _, a in pairs if a['tool_calls'] or a.get('error')])
    return out | dict(cases=len(cases))

def run(thau, cases, threshold, free=False):
    "Answer every case; the median seconds of those that called."
    answers, spent = [], []
    for c in cases:
        thau.session.seen[0].clear() # Nothing of the case before is in the cache
        began = time.perf_counter()
        answers.append(predict(thau, c['messages'], c['tools'], threshold, NOW, talk=1, free=free, tokens=300))
        if answers[-1]['tool_calls']: spent.append(time.perf_counter() - began)
    return score(cases, answers) | dict(seconds=round(median(spent), 3) if spent else None), answers

def fit(thau, model, n):
    "Fit the threshold to lessons."
    cases = make_cases(n, seed=1, exam=False)
    fitted = fit_threshold([(chance(thau, prompted(thau, c['messages'], c['tools'])), bool(c['wanted']) if c['group'] != 'absent' else None) for c in cases])
    save_threshold(model, fitted)
    return fitted

def disordered(model, folder):
    "The same network with its weights in disorder."
    from thau.school.report import shuffled
    shuffled(model, Path(folder)/'shuffled')
    return str(Path(folder)/'shuffled')

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('models', nargs='+'); p.add_argument('--cases', type=int, default=60, help='of each of the four groups'); p.add_argument('--out', type=Path); p.add_argument('--threads', type=int, default=1)
    for flag in ('free', 'shuffled', 'fit', 'show'): p.add_argument(f'--{flag}', action='store_true')
    args = p.parse_args()
    cases, table = make_cases(args.cases), {}
    for model in args.models:
        thau = Generator.from_model(model, threads=args.threads)
        if args.fit: print('fitted', fit(thau, model, args.cases))
        threshold = load_threshold(model)
        table[model], answers = run(thau, cases, threshold)
        if args.show:
            for c, a in zip(cases, answers):
                if not same(a['tool_calls'], c['wanted']): print(c['id'], round(a['chance'], 3), '|', c['messages'][-1]['content'][:110], '|', json.dumps(c['wanted'], ensure_ascii=False)[:160], '|', json.dumps(a['tool_calls'], ensure_ascii=False)[:200], a.get('error', ''))
        if args.shuffled:
            with tempfile.TemporaryDirectory() as folder: table[f'{model} shuffled'] = run(Generator.from_model(disordered(model, folder), threads=args.threads), cases, threshold)[0]
        if args.free: table[f'{model} free'] = run(thau, cases, threshold, free=True)[0]
    for name, row in table.items(): print(name, json.dumps(row))
    if args.out: write_json(args.out, table)
