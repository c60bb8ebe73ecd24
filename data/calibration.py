"""Write data/calibration.txt: the pages that a model reads while its weights are rounded to 4 bits.

    python data/calibration.py

Training documents only, Wikipedia introductions and stories in equal parts, Spanish and English by turns."""
from thau.engine.files import data_dir, write_file
from thau.growth.corpus import training_documents

SIZE = 96_000 # Bytes

def main():
    docs = training_documents()
    kinds = {(source, lang): iter([d.text for d in docs if d.source == source and d.lang == lang and not d.messages][::37]) for source in ('wikipedia', 'stories') for lang in ('es', 'en')}
    pages, size = [], 0
    while size < SIZE:
        for texts in kinds.values():
            pages.append(next(texts).strip().replace('\n\n', '\n')[:1500])
            size += len(pages[-1].encode())
    write_file(data_dir()/'calibration.txt', '\n\n'.join(pages) + '\n')

if __name__ == '__main__': main()
