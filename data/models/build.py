"""Make a model that the project ships out of an age of the flagship.

    python data/models/build.py thau runs/flagship/ages/age-12-5
    python data/models/build.py micro runs/micro/ages/age-06-5

Writes data/models/NAME: the weights in bfloat16, and a card that says what they read."""
import sys
from pathlib import Path

import torch

from thau.engine.files import data_dir, new_folder
from thau.growth.corpus import held_out_documents
from thau.growth.directory import load_model, write_model
from thau.growth.measure import bits_per_byte
from thau.growth.packages import PACKAGES
from thau.school.general import SOURCES, recorded

ABOUT = dict(thau='The model that comes with the project: what every command uses when it is told no other.',
             micro='The sibling for the smallest process: the model that the figures of Micro are of.')
CARD = """# THAU, age {age}

{about} A Llama of {params:,} parameters, trained from nothing on two processor cores: it was born at age 0 and grew through the ages {lineage}, {steps:,} steps in all
(`python -m thau.school.flagship`; every stage stands in [LOG.md](../LOG.md)). Spanish and English, {context:,} tokens of context.

It reads short passages and answers about them, counts step by step, talks about simple things, calls tools, tells short stories. It knows few facts, and it is wrong with confidence: do not believe it.
What it can do, `thau report` measures, skill by skill and with intervals.

| held-out bits per byte | es | en |
|---|---|---|
{rows}

## What it read
Lessons, tales and other texts of this project's own town and story world (CC0), and these texts of others, in the versions whose sums stand in `data/school/general.json`; `data/school/curriculum.toml` has the shares.

| source | licence | Spanish, kB | English, kB | register |
|---|---|---|---|---|
{sources}

The held-out documents and everything in `data/exam/` were never read. Licence of the weights: CC BY-SA 4.0, as they derive from those texts; `NOTICE` has the credits.
"""

def measured(model): # Rows of the table, one a source
    for source in ('wikipedia', 'stories'):
        es, en = (bits_per_byte(model.net, model.tokenizer, [d.text for d in held_out_documents(lang, source)])['bits_per_byte'] for lang in ('es', 'en'))
        yield f'| {source} | {es:.3f} | {en:.3f} |'

def read(): # Rows of the table, one a text of others
    licences = {name: p.licence for name, p in PACKAGES.items()} | dict(wikipedia='CC BY-SA 4.0')
    for name, there in recorded().items():
        size = {lang: f'{there["bytes"][lang] / 1000:,.0f}' if lang in there['bytes'] else '' for lang in ('es', 'en')}
        yield f'| {name} {there["version"]} | {licences[name]} | {size["es"]} | {size["en"]} | {SOURCES[name].register} |'

def main(name:str, age:Path):
    model = load_model(age)
    model.net.to(torch.bfloat16).to(torch.float32) # Measured as it is stored
    about = model.about
    with new_folder(data_dir()/'models'/name) as folder:
        write_model(model, folder, torch.bfloat16)
        (folder/'README.md').write_text(CARD.format(about=ABOUT[name], age=about['age'], params=model.net.shape.params, context=model.net.shape.context,
            lineage=', '.join(map(str, about['lineage'])), steps=about['steps'], rows='\n'.join(measured(model)), sources='\n'.join(read())), 'utf-8')

if __name__ == '__main__': main(sys.argv[1], Path(sys.argv[2]))
