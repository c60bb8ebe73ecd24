"""Which learning rates? Grow to age 1 in 160 steps an age with each pair, and measure held-out bits per byte.

    python data/bench/learning_rates.py        about a minute a pair; writes learning_rates.json"""
import tempfile
from pathlib import Path

from thau.engine.files import write_json
from thau.growth import optimizer
from thau.growth.train import grow

PAIRS = [(0.02, 0.004), (0.02, 0.012), (0.04, 0.008), (0.01, 0.008), (0.012, 0.015)]

if __name__ == '__main__':
    rows = []
    for optimizer.MUON_LR, optimizer.ADAM_LR in PAIRS:
        with tempfile.TemporaryDirectory() as tmp: last = grow(Path(tmp)/'run', to=1, steps=160).ages[-1]
        rows.append(dict(muon=optimizer.MUON_LR, adam=optimizer.ADAM_LR, bits_per_byte=last['bits_per_byte']))
        print(rows[-1])
    write_json(Path(__file__).with_suffix('.json'), dict(command='python data/bench/learning_rates.py', age=1, steps=160, seed=0, results=rows))
