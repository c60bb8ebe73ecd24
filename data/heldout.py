"""Write heldout.json: the sums of the held-out documents, which then never change. tests and the corpus notebook compare.

    python data/heldout.py"""
from thau.engine.files import data_dir, write_json
from thau.growth.corpus import held_out_sums

write_json(data_dir() / 'heldout.json', held_out_sums())
