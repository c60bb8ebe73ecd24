"Makes bilingual.txt, the small dictionary of memory search, from the words of the story world. Run: python data/memory/bilingual.py"
import re, tomllib
from pathlib import Path
from thau.growth.verbs import PERSONS, conjugate, verb_en
from thau.memory.terms import fold, stem

HERE = Path(__file__).resolve().parent
SKIP = {'deber', 'poder', 'can', 'soler'} # Their forms are little words

def pairs():
    "Single-word pairs of all lexicons."
    for file in sorted((HERE.parent/'world').glob('lexicon*.toml')):
        for rows in tomllib.loads(file.read_text(encoding='utf-8')).values():
            for row in rows.strip().split('\n') if isinstance(rows, str) else ():
                for part in row.split('||'):
                    es, bar, en = part.partition('|')
                    es, en = re.sub(r' [mfp]\*?$|\*', '', es.strip()).strip(), en.partition('/')[0].strip()
                    if re.fullmatch('[a-záéíóúüñ]+[|][a-z]+', f'{es}|{en}'): yield es, en

KINDS = dict(job=('trabajo oficio profesion empleo job occupation profession dedicar work living', 'occupations workers'), colour=('color colour shade tono', 'colours_all'), instrument=('instrumento instrument tocar', 'instruments'),
    sport=('deporte sport ejercicio exercise gimnasio fit', 'sports'), food=('comida comer plato food dish meal cocinar cocine cook cenar dinner lunch eat ate', 'dishes vegetables fruits sweets'), drink=('beber bebida drink tomar', 'drinks'),
    illness=('enfermedad salud medico illness disease health condition enfermo ill sick wrong', 'illnesses'), pet=('mascota animal pet bicho', 'pets_all animals_farm animals_wild birds_all'), country=('pais viajar viaje vacaciones country travel travelling trip holiday abroad', 'countries'),
    vehicle=('vehiculo vehicle transporte transport', 'vehicles'), clothes=('ropa clothes wear llevar', 'clothing'), relative=('familia familiar pariente family relative', 'family_all'), subject=('asignatura subject estudiar study course', 'subjects languages'),
    language=('idioma lengua language', 'languages'), hobby=('aficion hobby pasatiempo pastime ocio spare', 'hobbies_nouns sports'), plant=('planta plant jardin garden', 'flowers trees_all vegetables'), furniture=('mueble furniture', 'furniture'),
    weather=('tiempo weather', 'weather_nouns'), body=('dolor doler hurt pain injury lesion', 'body_parts'), shop=('tienda shop', 'shops'))

def members(categories):
    "Single words of some categories, both languages."
    for file in sorted((HERE.parent/'world').glob('lexicon*.toml')):
        found = tomllib.loads(file.read_text(encoding='utf-8'))
        for row in '\n'.join(found.get(c, '') for c in categories.split()).split('\n'):
            es, _, en = row.partition('||')[0].partition('|')
            for w in (re.sub(r' [mfp]\*?$|\*', '', es.strip()).strip(), en.partition('/')[0].strip()):
                if re.fullmatch(r'\w{3,}', w): yield fold(w)

def irregular(words):
    "Verb -> its forms that the stem does not find."
    for verb in sorted(set(words) - SKIP):
        forms, bare = set(), re.sub('se$', '', verb)
        if re.search('(ar|er|ir|ír)$', bare):
            try: forms = {conjugate(bare, t, p).split()[-1] for t in ('pres', 'pret', 'imp', 'fut', 'cond', 'subj') for p in PERSONS} | {conjugate(bare, t) for t in ('ger', 'part')}
            except Exception: continue # Not a verb after all
        forms = sorted({fold(f) for f in forms if stem(fold(f)) != stem(fold(verb))})
        if forms: yield verb, forms

if __name__ == '__main__':
    found = sorted(set(pairs())); concepts = [l for l in (HERE/'concepts.txt').read_text(encoding='utf-8').splitlines() if '|' in l and l[0] != '#']
    es = [a for a, _ in found] + [w for l in concepts for w in l.split('|')[0].split()]
    verbs_en = {b for a, b in found if a.endswith(('ar', 'er', 'ir', 'arse', 'erse', 'irse'))} - SKIP
    en = {v: sorted({f for f in verb_en(v).values() if stem(f) != stem(v)}) for v in sorted(verbs_en)}
    lines = ['# Made by data/memory/bilingual.py from data/world/lexicon*.toml. `es|en`: two words for one thing; `= word forms`: forms that the stem does not find. `> kind|words that ask for it|words that are one`.']
    lines += [f'{a}|{b}' for a, b in found] + [f'= {v} {" ".join(f)}' for v, f in irregular(es)] + [f'= {v} {" ".join(f)}' for v, f in en.items() if f]
    lines += [f'> {kind}|{asking}|{" ".join(sorted(set(members(categories))))}' for kind, (asking, categories) in KINDS.items()]
    (HERE/'bilingual.txt').write_text('\n'.join(lines) + '\n', encoding='utf-8')
    print(len(lines), 'lines')
