"What the model reads: the tokenizer against any text, the corpus against its own records."
import json, subprocess, sys

import pytest
from hypothesis import given, settings, strategies as st

from thau.engine.chat import encode_chat
from thau.engine.files import data_dir, read_json, sha256
from thau.engine.tokenizer import SPECIAL, ThauTokenizer
from thau.growth import corpus

tokenizer = ThauTokenizer.from_ladder()
pieces = st.sampled_from([*SPECIAL, '<|', '|>', 'im_start', '<', '>', 'tool_call>', 'system', '\n', '\r\n', '  ', '2041', 'ñ', 'n\u0303', '\u200d', '👩‍🚀'])
texts = st.lists(st.one_of(pieces, st.text(max_size=6)), max_size=8).map(''.join)


@settings(max_examples=10_000, deadline=None, derandomize=True, database=None)
@given(texts)
def test_any_text_comes_back_and_gives_no_special_id(text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert min(ids, default=len(SPECIAL)) >= len(SPECIAL)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(texts, texts)
def test_a_conversation_has_the_tags_that_we_wrote(said, told):
    ids = encode_chat(tokenizer, [{'role': 'user', 'content': said}, {'role': 'tool', 'content': told}])
    names = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|im_start|>', '<tool_response>', '</tool_response>', '<|im_end|>']
    assert [i for i in ids if i < len(SPECIAL)] == [tokenizer.id(n) for n in names]


def test_wikipedia_is_what_its_manifest_says():
    for name, was in read_json(data_dir() / 'wikipedia' / 'manifest.json')['files'].items():
        assert sha256(data_dir() / 'wikipedia' / name) == was['sha256']
    assert 'CC BY-SA 4.0' in (data_dir() / 'wikipedia' / 'LICENSE').read_text('utf-8')


def test_held_out_documents_never_change():
    assert corpus.held_out_sums() == read_json(data_dir() / 'heldout.json'), 'if the story world was meant to change: python data/heldout.py, and train anew'


def test_nothing_held_out_teaches():
    never = {d.content for lang in ('es', 'en') for d in corpus.held_out_documents(lang)}
    taught = corpus.training_documents()
    assert len({d.content for d in taught}) == len(taught)
    assert not any(corpus.held_out(d.id) or d.content in never for d in taught)
    assert {(d.lang, d.source) for d in taught} == {(lang, s) for lang in ('es', 'en') for s in ('wikipedia', 'stories', 'dialogues')}


@pytest.mark.parametrize('module', ['thau', *(f'thau.engine.{m}' for m in ('files', 'ram', 'tokenizer', 'chat', 'bpe', 'pack', 'native', 'run', 'generate', 'cache', 'micro'))])
def test_the_ground_floor_imports_little(module):
    code = f'import sys, json, {module}; print(json.dumps(sorted(sys.modules)))'
    loaded = json.loads(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout)
    assert not {'torch', 'transformers', 'jinja2', 'matplotlib', 'numba', 'thau.growth'} & set(loaded)
    if module != 'thau.engine.tokenizer': assert not {'numpy', 'psutil', 'tokenizers'} & set(loaded)
