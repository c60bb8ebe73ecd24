"""Train both tokenizers on Spanish and English in equal parts, from nothing that is held out, and measure them on what is.

    python data/tokenizers/build.py

A tokenizer is for life: every model of its ladder has to be trained anew when it changes."""
import json
from itertools import product

from thau.engine.chat import render, save_template
from thau.engine.files import data_dir, write_json
from thau.engine.tokenizer import ThauTokenizer, train_tokenizer
from thau.growth.corpus import held_out_documents, training_documents

sizes = {'nursery': 4096, 'main': 16384}
tale_share = 0.4  # Stories and dialogues; the rest is Wikipedia
call_share = 0.01  # What the chat format itself writes: schemas and calls of tools


def first_bytes(docs, n):
    "The contents of the first documents that make `n` bytes, each from another part of the list."
    step = 7919  # A prime walks over the whole list
    res, size = [], 0
    for i in range(len(docs)):
        text = docs[i * step % len(docs)].content
        if size >= n: break
        res.append(text); size += len(text.encode())
    return res


def calls(n):
    "About `n` bytes of conversations with tools, in the words that JSON schemas use; the chat format showed schemas whole when both tokenizers were trained."
    names = {'es': ('hora', 'clima', 'calculadora', 'buscar', 'recordar'), 'en': ('time', 'weather', 'calculator', 'search', 'remember')}
    keys = {'es': ('ciudad', 'fecha', 'texto', 'número'), 'en': ('city', 'date', 'text', 'number')}
    res, size = [], 0
    while size < n:
        for lang, kind in product(('es', 'en'), ('string', 'integer', 'number', 'boolean', 'array')):
            for name, key in product(names[lang], keys[lang]):
                tool = {'name': name, 'description': '', 'parameters': {'type': 'object', 'properties': {key: {'type': kind, 'description': '', 'enum': []}}, 'required': [key]}}
                talk = [{'role': 'system', 'content': f'<tools>{json.dumps(tool, ensure_ascii=False)}</tools>'}, {'role': 'user', 'content': ''}, {'role': 'assistant', 'content': '', 'tool_calls': [{'name': name, 'arguments': {key: ''}}]},
                        {'role': 'tool', 'content': ''}]
                res.append(render(talk)); size += len(res[-1].encode())
    return res


def corpus():
    "Texts to learn from: as many bytes in each language, `tale_share` of them tales."
    docs = training_documents()
    part = {(lang, tales): [d for d in docs if d.lang == lang and (d.source != 'wikipedia') == tales] for lang in ('es', 'en') for tales in (False, True)}
    n_bytes = {key: sum(len(d.content.encode()) for d in part[key]) for key in part}
    wiki = min(n_bytes['es', False], n_bytes['en', False])
    tales = min(wiki * tale_share / (1 - tale_share), n_bytes['es', True], n_bytes['en', True])
    texts = [t for lang in ('es', 'en') for tale, n in ((False, wiki), (True, tales)) for t in first_bytes(part[lang, tale], n)]
    return texts + calls(call_share * 2 * (wiki + tales))


def bytes_per_token(tk):
    "How much text a token carries, on held-out documents."
    res = {}
    for source, lang in product(('wikipedia', 'stories', 'dialogues'), ('es', 'en')):
        texts = [d.content for d in held_out_documents(lang, source)]
        res[f'{source} {lang}'] = round(sum(len(t.encode()) for t in texts) / sum(map(len, tk.encode_batch(texts))), 3)
    return res


def build():
    "Write both tokenizers and report.json."
    texts, report = corpus(), {}
    for ladder, size in sizes.items():
        tk = ThauTokenizer(train_tokenizer(texts, size))
        tk.save(data_dir() / 'tokenizers' / ladder)
        save_template(data_dir() / 'tokenizers' / ladder)
        report[ladder] = {'vocab_size': tk.vocab_size, 'bytes_per_token': bytes_per_token(tk)}
    report['trained_on_bytes'] = sum(len(t.encode()) for t in texts)
    write_json(data_dir() / 'tokenizers' / 'report.json', report)
    return report


if __name__ == '__main__': print(build())
