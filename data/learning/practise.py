"""Exercises as tokens, for the curriculum of the flagship: python data/learning/practise.py 240000 runs/flagship/tokens/practice.npz"""
import sys
from pathlib import Path

from thau.engine.tokenizer import ThauTokenizer
from thau.growth.batches import encode_documents
from thau.learning.practice import practice
from thau.school.curriculum import save_tokens

def main(n, out):
    tokens = encode_documents(practice(n), ThauTokenizer.from_ladder('nursery'), answers_only=True)
    save_tokens(tokens, out)
    print(f'{n} exercises, {len(tokens.ids):,} tokens: {out}')

if __name__ == '__main__': main(int(sys.argv[1]), Path(sys.argv[2]))
