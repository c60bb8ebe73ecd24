"""Make the model that Micro's figures are of: the shipped model, expanded to age 6.

    python data/models/micro.py

Writes data/models/micro. More training on the small embedded corpus made it worse on held-out Wikipedia (2.03 bits per byte for 1.71), so it has none."""
from pathlib import Path

import torch

from thau.engine.files import data_dir, new_folder
from thau.growth.ages import shape_of
from thau.growth.corpus import held_out_documents
from thau.growth.directory import Model, find_model, load_model, write_model
from thau.growth.expand import expand
from thau.growth.measure import bits_per_byte

AGE = 6
CARD = """# THAU, age 6

The shipped model of age 3, expanded to {params:,} parameters without losing a logit (`python data/models/micro.py`), and not yet trained further: what it
says is what age 3 says. It is the model that the figures of the Micro process are of.

| held-out bits per byte | es | en |
|---|---|---|
{rows}

What it read, and the licence of the weights: as of `data/models/first`.
"""

def measured(model): # Rows of the table, one a source
    for source in ('wikipedia', 'stories'):
        es, en = (bits_per_byte(model.net, model.tokenizer, [d.text for d in held_out_documents(lang, source)])['bits_per_byte'] for lang in ('es', 'en'))
        yield f'| {source} | {es:.3f} | {en:.3f} |'

def main():
    young = load_model(find_model())
    model = Model(expand(young.net, shape_of('nursery', AGE)), young.tokenizer, young.about | dict(age=AGE, lineage=[*young.about['lineage'], AGE]))
    model.net.to(torch.bfloat16).to(torch.float32) # Measured as it is stored
    with new_folder(data_dir()/'models'/'micro') as folder:
        write_model(model, folder, torch.bfloat16)
        (folder/'README.md').write_text(CARD.format(params=model.net.shape.params, rows='\n'.join(measured(model))), 'utf-8')

if __name__ == '__main__': main()
