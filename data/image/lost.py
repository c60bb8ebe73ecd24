"""Where does a painter lose an outline? A true picture is hidden in noise, the painter goes on from there, and the checking program says whether the shapes are right.

    python data/image/lost.py NAME [MODEL]    # writes the rows of NAME into data/image/lost.json
"""
import json, sys
from pathlib import Path

import numpy as np
import torch

from thau.image.captions import caption
from thau.image.checking import check
from thau.image.painter import SHIFT, read, to_pil, velocity
from thau.image.pipelines import Settings, find_pipeline, load_pipeline
from thau.image.scenes import draw, scene
from thau.image.teach import NEGATIVE

PICTURES, STEPS, GUIDANCE = 96, 16, 7.5
OUT = Path(__file__).with_suffix('.json')


@torch.no_grad()
def finished(pipe, true, noise, texts, first):
    "Pictures drawn from step `first` on, in which the true ones are hidden."
    levels = [SHIFT*u/(1 + (SHIFT - 1)*u) for u in 1 - np.arange(STEPS)/STEPS] + [0.]
    ids, kept = read(pipe.tokenizer, [NEGATIVE]*len(texts) + texts)
    said, x = pipe.text_encoder(ids, kept), (1 - levels[first])*true + levels[first]*noise
    for now, then in zip(levels[first:], levels[first + 1:]):
        picture = pipe._guided(x, torch.tensor(1000*now, dtype=torch.float32), said, kept, GUIDANCE)
        x = x + (then - now)*velocity(x, picture, now)
    return levels[first], to_pil(picture)


if __name__ == '__main__':
    name, model = sys.argv[1], find_pipeline(sys.argv[2] if len(sys.argv) > 2 else None)
    pipe = load_pipeline(model, Settings('cpu', 'float32'))
    scenes = [scene(f'lost {i}') for i in range(PICTURES)]
    texts = [caption(s, ('es', 'en')[i % 2], f'lost {i}', exam=True) for i, s in enumerate(scenes)]
    true = torch.from_numpy(np.stack([draw(s) for s in scenes])).permute(0, 3, 1, 2).float()/127.5 - 1
    noise, rows = torch.randn(true.shape, generator=torch.Generator().manual_seed(0)), []
    for first in (0, 4, 8, 10, 12, 14, 15):
        level, drawn = finished(pipe, true, noise, texts, first)
        rows.append(dict(level=round(float(level), 3), shape=round(float(np.mean([check(np.asarray(p), s)['shape'] for p, s in zip(drawn, scenes)])), 3)))
        print(name, rows[-1], flush=True)
    known = json.loads(OUT.read_text()) if OUT.exists() else {}
    OUT.write_text(json.dumps(known | {name: rows}, indent=1) + '\n')
