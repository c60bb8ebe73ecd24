"""Which network learns to draw soonest on one processor core? Each has the same seconds of processor time.

    OMP_NUM_THREADS=1 python data/image/choices.py [NAME…]    # writes data/image/choices.json

What is compared is the squared error of the predicted picture on 192 scenes not trained on, at noise levels spread evenly; the errors of the four quarters of the
noise go with it, the least noise first.
"""
import json, sys, time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor
from torch import nn

from thau.engine.files import shipped_model
from thau.growth.directory import load_model
from thau.growth.optimizer import clock
from thau.image.captions import caption
from thau.image.painter import TextEncoder, new_painter, new_tokenizer, read
from thau.image.scenes import draw, scene
from thau.image.teach import FLOOR, PainterOptimizers

SECONDS, BATCH, EVERY = 90, 32, 30
OUT = Path(__file__).with_suffix('.json')
MICRO = 256 # Its width


class UNet(nn.Module):
    "A UNet over 16 x 16 positions of 48 numbers."
    def __init__(self, words=128):
        super().__init__()
        self.net = UNet2DConditionModel(sample_size=16, in_channels=48, out_channels=48, layers_per_block=1, block_out_channels=(48, 96, 128), down_block_types=('DownBlock2D',) + ('CrossAttnDownBlock2D',)*2,
                                        up_block_types=('CrossAttnUpBlock2D',)*2 + ('UpBlock2D',), cross_attention_dim=words, attention_head_dim=32, norm_num_groups=16)

    def forward(self, x, encoder_hidden_states, encoder_attention_mask, timestep):
        out = self.net(F.pixel_unshuffle(x, 4), encoder_hidden_states=encoder_hidden_states, encoder_attention_mask=encoder_attention_mask.bool(), timestep=timestep)
        out.sample = F.pixel_shuffle(out.sample, 4)
        return out


class Frozen(nn.Module):
    "The first layers of the shipped micro model, frozen, and one layer that learns."
    def __init__(self):
        super().__init__()
        self.lm, self.tail = [load_model(shipped_model('micro')).net.eval().requires_grad_(False)], TextEncoder(vocab_size=1, width=MICRO, layers=1, heads=MICRO//32)

    def forward(self, ids, kept):
        lm = self.lm[0]
        with torch.no_grad():
            x = lm.embed_tokens(ids)
            for layer in lm.layers[:2]: x = layer(x, lm.table[:, :ids.shape[1]])
        x = F.layer_norm(x.float(), (MICRO,))
        for b in self.tail.blocks: x = b(x, attention_mask=(1 - kept[:, None].to(x.dtype))*-1e4)
        return self.tail.norm(x)


def swapped(painter, **parts):
    "`painter` with other parts."
    for name, part in parts.items(): setattr(painter, name, part)
    return painter


class Shown(nn.Module):
    "No pixel head: what the transformer says is the picture."
    def forward(self, noisy, told): return told


def bare(**sizes):
    "An untrained painter without pixel head."
    painter = new_painter(**sizes)
    net = painter.transformer
    net.out_channels, net.proj_out = 3, nn.Linear(net.proj_out.in_features, 3*net.config.patch_size**2)
    nn.init.zeros_(net.proj_out.weight); nn.init.zeros_(net.proj_out.bias)
    return swapped(painter, pixel_head=Shown())


def read_by_model(painter):
    "`painter`, whose words begin as the shipped micro model's."
    with torch.no_grad():
        theirs = load_model(shipped_model('micro')).net.embed_tokens.weight.float()
        painter.text_encoder.embed.weight.copy_(theirs*(.02/theirs.std()))
    return painter


CHOICES = {
    'patches of 8': lambda: bare(layers=5, words=128), 'patches of 4': lambda: bare(layers=5, words=128, patch=4), 'UNet, 16 x 16 x 48': lambda: swapped(bare(words=128), transformer=UNet()),
    'patches of 8, text by frozen layers': lambda: swapped(bare(layers=5, words=MICRO), text_encoder=Frozen()), 'patches of 8, 8 narrow layers, wider text': lambda: bare(width=192, layers=8, words=192),
    'patches of 8, AdamW': lambda: bare(layers=5, words=128),
    'patches of 8, 4 layers, wider text': lambda: bare(layers=4, words=192), 'patches of 8, 4 layers, wider text, words of the model': lambda: read_by_model(bare(layers=4, words=MICRO))}


class AdamW:
    "One optimizer for all."
    def __init__(self, net): self.opt = torch.optim.AdamW(net.parameters(), lr=7e-4, betas=(.9, .99), weight_decay=0, fused=True)
    def step(self, factor): self.opt.param_groups[0]['lr'] = 7e-4*factor; self.opt.step(); self.opt.zero_grad()


def lessons(seeds):
    "Scenes and captions."
    them = [scene(i) for i in seeds]
    return torch.from_numpy(np.stack([draw(s) for s in them])).permute(0, 3, 1, 2).float()/127.5 - 1, [caption(s, ('es', 'en')[i % 2], i) for s, i in zip(them, seeds)]


def errors(painter, tokenizer, x, texts, sigma, noise):
    "Squared error of each prediction."
    s = sigma[:, None, None, None]
    with torch.autocast('cpu', torch.bfloat16): told = painter.picture((1 - s)*x + s*noise, sigma, *read(tokenizer, texts)).float()
    return (told - x).square().mean((1, 2, 3))


def run(name):
    "One competitor."
    painter, tokenizer, dice = CHOICES[name](), new_tokenizer(), torch.Generator().manual_seed(0)
    net = painter.module()
    for m in net.modules():
        if isinstance(m, Attention): m.set_processor(AttnProcessor())
    opts = (AdamW if 'AdamW' in name else PainterOptimizers)(net)
    exam, at, noise = lessons(range(10**9, 10**9 + 192)), (torch.arange(192) + .5)/192, torch.randn(192, 3, 64, 64, generator=torch.Generator().manual_seed(1))

    @torch.no_grad()
    def judged(): return torch.cat([errors(painter, tokenizer, exam[0][i:i + 64], exam[1][i:i + 64], at[i:i + 64], noise[i:i + 64]) for i in range(0, 192, 64)])

    spent, step, curve = 0., 0, []
    while spent < SECONDS:
        began = time.process_time()
        x, texts = lessons(range(step*BATCH, (step + 1)*BATCH))
        silent = torch.rand(BATCH, generator=dice) < .1
        sigma = torch.rand(BATCH, generator=dice)
        error = errors(painter, tokenizer, x, ['' if q else t for t, q in zip(texts, silent)], sigma, torch.randn(x.shape, generator=dice))
        (error/sigma.clamp(min=FLOOR)**2).mean().backward()
        opts.step(min((step + 1)/50, clock(spent, SECONDS)) if step < 50 else clock(spent, SECONDS))
        step, before, spent = step + 1, spent, spent + time.process_time() - began
        if before//EVERY < spent//EVERY or spent >= SECONDS: curve.append((round(spent), step*BATCH, round(judged().mean().item(), 4))); print(name, curve[-1], flush=True)
    return dict(name=name, params=sum(p.numel() for p in net.parameters()), seconds=SECONDS, lessons=step*BATCH, error=curve[-1][2], quarters=[round(q.mean().item(), 4) for q in judged().chunk(4)], curve=curve)


if __name__ == '__main__':
    torch.set_num_threads(1)
    known = {r['name']: r for r in json.loads(OUT.read_text())} if OUT.exists() else {}
    for name in sys.argv[1:] or CHOICES:
        known[name] = run(name)
        OUT.write_text(json.dumps(list(known.values()), indent=1) + '\n')
