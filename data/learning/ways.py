"""How much of the new for how much of the old: python data/learning/ways.py MODEL OUT.json --facts 20
The facts of one invented world, given in perfect questions, learned in several ways; what is new is asked in held-out wordings, what is old in the gate's examinations. About four minutes a way on two cores."""
import argparse, sys
from pathlib import Path

from thau.cli.learning import school
from thau.engine.files import write_json
from thau.growth.directory import load_model
from thau.learning import tune
from thau.learning.gate import examine
from thau.learning.orthogonal import Quiet
from thau.learning.pupil import pupil_of
from thau.learning.rounds import find_gaps, lesson, probe
from thau.learning.statements import documents
from thau.learning.worlds import facts, world

class Free(Quiet):
    "Steps as the optimizer takes them."
    def __init__(self, net, rows): super().__init__(net)

WAYS = {'free, rate 0.002, 6 rounds': (Free, dict(rate=.002, rounds=6)), 'free, anchor 16': (Free, dict(rate=.002, rounds=6, anchor=16.)), 'turned': (Quiet, {})}

def main(model, out, n, seed=3001):
    "Learn one world in all ways."
    old, old_school = load_model(model), school(seed=seed)
    gaps = find_gaps(pupil_of(old), facts(world(seed, n)))
    docs, rows = documents(lesson(gaps, seed)), []
    for name, net in (('before', None), *WAYS.items()):
        if net: tune.Quiet, kw = net; new = tune.tune(old, docs, old_school.replay, seed, **kw)
        else: new = old
        m = examine(new, pupil_of(new), probe(gaps), old_school.held_out, old_school.exams)
        rows.append(dict(way=name, new=round(m.new, 3), bits_per_byte=round(m.bits_per_byte, 4), **{k: round(v, 3) for k, v in m.exams.items()}))
        print(rows[-1], file=sys.stderr, flush=True)
        write_json(out, dict(command=f'python data/learning/ways.py MODEL OUT.json --facts {n}', facts=n, ways=rows))

if __name__ == '__main__':
    ap = argparse.ArgumentParser(); ap.add_argument('model'); ap.add_argument('out', type=Path); ap.add_argument('--facts', type=int, default=20)
    args = ap.parse_args()
    main(args.model, args.out, args.facts)
