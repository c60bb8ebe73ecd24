"""Writes pairs.jsonl.gz, the minimal pairs that every model is asked: from the templates of pairs.txt, without what stands in a training text.
Run: python data/exam/pairs.py  (some seconds)"""
import gzip, json
from dataclasses import asdict
from pathlib import Path
from thau.engine.files import write_file
from thau.growth.pairs import make_pairs

lines = (json.dumps(asdict(p), ensure_ascii=False) for lang in ('es', 'en') for p in make_pairs(lang))
write_file(Path(__file__).resolve().parent/'pairs.jsonl.gz', gzip.compress('\n'.join(lines).encode(), mtime=0))
