"""How much noise should lessons have? Each answer has the same seconds of processor time.

    OMP_NUM_THREADS=1 python data/image/noise.py [HARD…]    # writes data/image/noise.json

`HARD` is explained at `thau.image.teach.levels`. What is compared is the squared error of the predicted picture, 64 scenes and 64 emoji asked for in unseen captions and by name, at each of `LEVELS`.
"""
import json, sys, time
from pathlib import Path

import numpy as np
import torch

from thau.growth.optimizer import clock
from thau.image import captions, emoji, scenes, teach
from thau.image.painter import read

SECONDS, BATCH, COUNT, LEVELS = 50, 32, 64, (1., .97, .94, .9, .8, .6, .3, .1)
OUT = Path(__file__).with_suffix('.json')


def pixels(pictures): return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()/127.5 - 1


def exam():
    "Pictures and what they are asked for by, of each kind."
    some = [scenes.scene(f'noise {i}', i % 2 == 0) for i in range(COUNT)]
    which = np.linspace(0, len(emoji.emoji()) - 1, COUNT).astype(int)
    return dict(scenes=(pixels([scenes.draw(s) for s in some]), [captions.caption(s, ('es', 'en')[i % 2], f'noise {i}', exam=True) for i, s in enumerate(some)]),
                emoji=(pixels([emoji.place_on(emoji.drawings()[i]) for i in which]), [emoji.emoji()[i].names[('es', 'en')[n % 2]] for n, i in enumerate(which)]))


@torch.no_grad()
def judged(learner, x, texts):
    "Squared error at each of `LEVELS`."
    noise, res = torch.randn(x.shape, generator=torch.Generator().manual_seed(1)), []
    for s in LEVELS:
        with torch.autocast('cpu', torch.bfloat16): told = learner.painter.picture((1 - s)*x + s*noise, torch.full((len(x),), s), *read(learner.tokenizer, texts)).float()
        res.append(round((told - x).square().mean().item(), 4))
    return res


def run(hard):
    "One competitor."
    learner, spent, step = teach.Learner(teach.Lessons(batch=BATCH, precision='bfloat16')), 0., 0
    while spent < SECONDS:
        began, dice = time.process_time(), torch.Generator().manual_seed(step)
        with torch.autocast('cpu', torch.bfloat16): teach.loss(learner.painter, learner.tokenizer, *teach.batch(0, step, BATCH), dice, hard).backward()
        learner.opts.step(min((step + 1)/50, clock(spent, SECONDS)) if step < 50 else clock(spent, SECONDS))
        step, spent = step + 1, spent + time.process_time() - began
    return dict(hard=hard, seconds=SECONDS, lessons=step*BATCH, levels=LEVELS, **{kind: judged(learner, *it) for kind, it in exam().items()})


if __name__ == '__main__':
    torch.set_num_threads(1)
    known = {r['hard']: r for r in json.loads(OUT.read_text())} if OUT.exists() else {}
    for hard in map(float, sys.argv[1:] or (1, 4, 8, 20)):
        known[hard] = run(hard)
        OUT.write_text(json.dumps(list(known.values()), indent=1) + '\n')
