"""Fits the gap score: python data/learning/fit.py MODEL SEED FACTS writes gaps.json.

MODEL is one that has learned the facts of invented world number SEED (`thau.learning.worlds`). Half of the questions are of those facts, in both languages and in wordings that no lesson had; half ask what that world never says.
Whether an answer is wrong is the label, not which half it is of. A third, by a hash of the subject's relation and question, is not fitted on but measures. Beside it: the length of the answer alone, its entropy alone, refusals alone.
The model abstains from the score that nine of ten questions of those that its world never answers reach."""
import hashlib, sys

import numpy as np

from thau.engine.files import data_dir, write_json
from thau.learning.gaps import SIGNS, auroc, calibration_error, fit, hear
from thau.learning.pupil import Pupil, core
from thau.learning.worlds import questions, unanswered, world

def main(model, seed, facts):
    told = world(seed, facts)
    some = questions(told) + questions(told, True)
    some += unanswered(told, seed, len(some))
    heard = hear(Pupil.of(model), [q['q'] for q in some], [q['lang'] for q in some])
    x = np.array([h.signs for h in heard])
    gap = np.array([q['answer'] is None or core(h.answer) != core(q['answer']) for h, q in zip(heard, some)])
    test = np.array([hashlib.sha256(q['q'].encode()).digest()[0] % 3 == 0 for q in some])
    s = (score := fit(x[~test], gap[~test]))(x[test])
    threshold = round(float(np.quantile(score(x[[q['answer'] is None for q in some]]), .1)), 3)
    one = lambda name: round(auroc(x[test][:, SIGNS.index(name)], gap[test]), 3)
    figures = dict(questions=int(test.sum()), silent_though_known=round(float((s[~gap[test]] >= threshold).mean()), 3), gaps=int(gap[test].sum()), auroc=round(auroc(s, gap[test]), 3), calibration_error=round(calibration_error(s, gap[test]), 3), auroc_length=one('length'), auroc_entropy=one('entropy'), auroc_refused=one('refused'))
    write_json(data_dir()/'learning'/'gaps.json', dict(signs=[*SIGNS], weights=[*score.weights], bias=score.bias, mean=[*score.mean], scale=[*score.scale], threshold=threshold, world=seed, facts=facts, fitted_on=int((~test).sum()), figures=figures))
    print(figures)

if __name__ == '__main__': main(sys.argv[1], *map(int, sys.argv[2:4]))
