"""Make the model that the project ships out of a finished run.

    thau grow --to 3 --steps 4000 --out runs/long
    python data/models/build.py runs/long

Writes data/models/first: the oldest age in bfloat16, its report, and a card that says what it read."""
import shutil, sys
from pathlib import Path

import torch

from thau.engine.files import data_dir, new_folder, read_json
from thau.growth.corpus import held_out_documents
from thau.growth.directory import load_model, write_model
from thau.growth.measure import bits_per_byte

CARD = """# THAU, first light: age {age}

A Llama of {params:,} parameters, trained from nothing on two processor cores with `{command}` ({tokens:,} tokens over the ages {lineage}, {minutes:.0f} minutes of steps).
It tells short children's stories in Spanish and English, and knows very little else: do not believe it.

| held-out bits per byte | es | en |
|---|---|---|
{rows}

Read, from this project's `data/` (see `NOTICE`): Wikipedia introductions in Spanish and English (CC BY-SA 4.0, by the contributors of Wikipedia; 5,970 and
9,961 documents) and stories and dialogues of the project's own story world (CC0). Held-out documents were never read. Tokens `{corpus}`.
Licence of the weights: CC BY-SA 4.0, as they derive from those texts.
"""

def measured(model): # Rows of the table, one a source
    for source in ('wikipedia', 'stories'):
        es, en = (bits_per_byte(model.net, model.tokenizer, [d.text for d in held_out_documents(lang, source)])['bits_per_byte'] for lang in ('es', 'en'))
        yield f'| {source} | {es:.3f} | {en:.3f} |'

def main(run:Path):
    plan, report = read_json(run/'plan.json'), read_json(run/'report.json')
    last = report['ages'][-1]
    model = load_model(run/'ages'/f'age-{last["age"]:02d}')
    model.net.to(torch.bfloat16).to(torch.float32) # Measured as it is stored
    with new_folder(data_dir()/'models'/'first') as folder:
        write_model(model, folder, torch.bfloat16)
        (folder/'README.md').write_text(CARD.format(**last | dict(
            tokens=sum(a['tokens'] for a in report['ages']), minutes=sum(a['seconds'] for a in report['ages']) / 60, lineage=', '.join(map(str, plan['ages'])),
            command=f'thau grow --to {last["age"]} --steps {plan["steps"]} --seed {plan["seed"]}', corpus=plan['corpus_sha256'][:16], rows='\n'.join(measured(model)))), 'utf-8')
        shutil.copy(run/'report.png', folder)

if __name__ == '__main__': main(Path(sys.argv[1]))
