"""A model learns invented worlds by itself, and is examined in wordings that no lesson has: python data/learning/measure.py MODEL OUT.json --facts 100 --seeds 3
Beside it: how good its own questions were, what it lost, and how well it knows what it does not know. Some twenty minutes a world of 100 facts on two cores."""
import argparse, sys, tempfile, time
from pathlib import Path

from thau.cli.learning import school
from thau.engine.files import write_json
from thau.learning.gaps import auroc, calibration_error, hear, stored
from thau.learning.pupil import Pupil, core
from thau.learning.rounds import learn
from thau.learning.sources import from_text
from thau.learning.worlds import questions, source_text, unanswered, world

def examined(model, told, seed):
    "Closed book: what it knows by heart and what it says, in the source's language and in the other, and what it says where there is no answer."
    pupil, score = Pupil.of(model), stored()
    sets = dict(same=questions(told), cross=questions(told, True), never=unanswered(told, seed, len(told)))
    heard = {name: hear(pupil, [q['q'] for q in some], [q['lang'] for q in some]) for name, some in sets.items()}
    silent = {name: [score.silences(h) for h in some] for name, some in heard.items()}
    knows = {name: [core(h.answer) == core(q['answer']) for h, q in zip(heard[name], sets[name])] for name in ('same', 'cross')}
    scores, gap = [float(score(h.signs)) for some in heard.values() for h in some], [not k for name in knows for k in knows[name]] + [True]*len(told)
    share = lambda x: round(float(sum(x))/max(1, len(x)), 3)
    return {name: share([k and not s for k, s in zip(knows[name], silent[name])]) for name in knows} | dict(by_heart={name: share(k) for name, k in knows.items()}, abstains=share(silent['never']),
        wrongly_abstains=share([s for name in knows for s in silent[name]]),
        silent_though_known=share([s for name in knows for k, s in zip(knows[name], silent[name]) if k]), auroc=round(auroc(scores, gap), 3) if not all(gap) else None, calibration_error=round(calibration_error(scores, gap), 3))

def asks(fact, told):
    "Whether a question names the subject of what was told, and its answer is the object."
    return core(fact.answer) in map(core, told.object) and any(s.strip('«»"') in fact.question for s in told.subject)

def asked(facts, told):
    "How many of its own questions have the right answer, and how many facts have such a question."
    share = lambda x: round(sum(x)/max(1, len(x)), 3)
    return dict(questions=len(facts), valid=share([any(asks(f, t) for t in told) for f in facts]), covered=share([any(asks(f, t) for f in facts) for t in told]))

def measured(model, seed, n, out, tell):
    "One world."
    told = world(seed, n)
    source, before = from_text(source_text(told, seed), f'world {seed}'), examined(model, told, seed)
    tell(f'world {seed} before: {before}')
    r = learn(model, source, out, school(seed=seed), seed, tell=tell)
    after = examined(out if r.accepted else model, told, seed)
    marks = lambda m: dict(new=round(m.new, 3), bits_per_byte=round(m.bits_per_byte, 4), exams={k: round(v, 3) for k, v in m.exams.items()})
    return dict(seed=seed, facts=n, asked=asked(r.facts, told), gaps=r.gaps, accepted=r.accepted, share=round(r.share, 3), why=list(r.why), seconds=round(r.seconds), before=before | dict(marks=marks(r.before)), after=after | dict(marks=marks(r.after)))

if __name__ == '__main__':
    ap = argparse.ArgumentParser(); ap.add_argument('model'); ap.add_argument('out', type=Path); ap.add_argument('--facts', type=int, default=100); ap.add_argument('--seeds', type=int, default=3); ap.add_argument('--first', type=int, default=2001)
    args = ap.parse_args()
    began, rows = time.perf_counter(), []
    def tell(text): print(f'{time.perf_counter() - began:5.0f} s  {text}', file=sys.stderr, flush=True)
    for seed in range(args.first, args.first + args.seeds):
        with tempfile.TemporaryDirectory() as tmp: rows.append(measured(args.model, seed, args.facts, Path(tmp)/'wiser', tell))
        write_json(args.out, dict(command=f'python data/learning/measure.py MODEL OUT.json --facts {args.facts} --first {args.first} --seeds {args.seeds}', worlds=rows))
        tell(rows[-1])
