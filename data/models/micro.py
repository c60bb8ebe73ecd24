"""Make the model that Micro's figures are of: the shipped model, expanded to age 6 and trained on.

    python data/models/micro.py 1200 runs/micro

Trains for so many steps of 16 x 256 tokens, one thread, and leaves a model directory in bfloat16."""
import sys
from pathlib import Path

import torch

from thau.growth.ages import shape_of
from thau.growth.batches import Stream, encode_documents
from thau.growth.corpus import training_documents
from thau.growth.directory import Model, find_model, load_model, save_model
from thau.growth.expand import expand
from thau.growth.optimizer import clock
from thau.growth.plan import Learner, Plan

AGE, SEED = 6, 6

def main(steps:int, out:Path):
    torch.set_num_threads(1)
    model = load_model(find_model())
    plan = Plan(ladder='nursery', ages=[*model.about['lineage'], AGE], steps=steps, corpus=[], corpus_sha256='', seed=SEED, device='cpu', dtype='bfloat16', compiled=True, threads=1)
    learner, tokens = Learner(expand(model.net, shape_of('nursery', AGE), seed=SEED), plan), encode_documents(training_documents([]), model.tokenizer)
    stream = Stream(tokens, plan.batch, plan.row, SEED)
    for step in range(steps):
        loss = learner.step(next(stream), 0.5*clock(step, steps))
        if step % 20 == 0: print(step, f'{loss:.4f}', flush=True)
    about = model.about | dict(age=AGE, lineage=[*model.about['lineage'], AGE], steps=model.about['steps'] + steps)
    save_model(Model(learner.net, model.tokenizer, about), out, torch.bfloat16)

if __name__ == '__main__': main(int(sys.argv[1]), Path(sys.argv[2]))
