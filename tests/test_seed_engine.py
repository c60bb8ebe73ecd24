"The snippets that the first seed prints: they run with nothing but their import line changed, offline, and do what was promised."
import subprocess, sys, textwrap
from shutil import which

import pytest

from thau.engine.files import write_file

MOVED = {
    'from tokenizer_adead import ADeadTokenizer': 'from thau.engine.tokenizer import ADeadTokenizer',
    'from embeddings_light import LightEmbeddings': 'from thau.engine.embeddings import LightEmbeddings',
    'from attention_light import LightAttention': 'from thau.engine.attention import LightAttention',
    'from generator import LightGenerator': 'from thau.engine.light import LightGenerator',
    'from ai_complete import ADeadAI': 'from thau.engine.adead import ADeadAI',
    'from adead_ffi import ADeadBIB': 'from thau.engine.adeadbib import ADeadBIB',
    'from adead_ffi import ADeadAI': 'from thau.engine.adead import ADeadAI',
    'from ai_demo import demo': 'from thau.engine.adead import demo'}


def said(snippet, cwd=None):
    "What a snippet prints, its imports moved."
    code = textwrap.dedent(snippet)
    for old, new in MOVED.items(): code = code.replace(old + '\n', new + '\n')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=cwd, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_b2_text_to_numbers_and_back():
    assert said('''
        from tokenizer_adead import ADeadTokenizer
        tokenizer = ADeadTokenizer()
        tokens = tokenizer.encode("Hola mundo")
        print(all(type(t) is int for t in tokens), tokenizer.decode(tokens))''') == 'True Hola mundo\n'


def test_b6_tokenizer(tmp_path):
    write_file(tmp_path/'vocab.txt', 'hola\nmundo\n')
    assert said('''
        from tokenizer_adead import ADeadTokenizer
        tokenizer = ADeadTokenizer("vocab.txt")
        tokens = tokenizer.encode("Hola MUNDO marciano")
        print(tokens, tokenizer.decode(tokens), tokenizer.vocab["mundo"], tokenizer.vocab_size, tokenizer.adead.fast_sum(tokens))''', tmp_path) == '[1, 2, 0] hola mundo <UNK> 2 3 3\n'


def test_b7_embeddings():
    assert said('''
        from embeddings_light import LightEmbeddings
        emb = LightEmbeddings(10000, embed_dim=64)
        print(emb.embeddings.dtype, emb.embeddings.nbytes, emb.get_embedding(5).shape, emb.get_batch([1, 2, 3]).shape)''') == 'float16 1280000 (64,) (3, 64)\n'


def test_b8_attention():
    assert said('''
        from attention_light import LightAttention
        import numpy as np
        attention = LightAttention(embed_dim=64, num_heads=4)
        x = np.random.randn(10, 64)
        y, first = attention.forward(x), attention.forward(x[:4])
        print(attention.embed_dim, attention.num_heads, attention.head_dim, attention.W_q.dtype, attention.W_k.shape, attention.W_v.shape, y.shape)
        print(np.allclose(y[:4], first, atol=1e-5), np.allclose(y, LightAttention(64, 1).forward(x), atol=1e-2), "untrained" in repr(attention))
        ''') == '64 4 16 float16 (64, 64) (64, 64) (10, 64)\nTrue False True\n' # Causal, and the heads are split


def test_b9_generator():
    out = said('''
        from tokenizer_adead import ADeadTokenizer
        from embeddings_light import LightEmbeddings
        from attention_light import LightAttention
        from generator import LightGenerator
        tokenizer = ADeadTokenizer()
        embeddings = LightEmbeddings(tokenizer.vocab_size, embed_dim=64)
        attention = LightAttention(embed_dim=64, num_heads=4)
        generator = LightGenerator(tokenizer, embeddings, attention)
        text = generator.generate("Hola mundo", max_tokens=50)
        print(type(text).__name__, len(text) > 0, text != "Hola mundo", "untrained" in repr(generator))
        print(LightGenerator.from_model().generate("Hola", max_tokens=5) != "")''')
    assert out == 'str True True True\nTrue\n'


def test_b10_ai():
    out = said('''
        from ai_complete import ADeadAI
        ai = ADeadAI(vocab_size=10000, embed_dim=64)
        print(ai.chat("Hola, ¿cómo estás?") != "")
        print([ai.vocab[w] for w in ("<PAD>", "<EOS>", "<UNK>")], ai.embeddings.shape, {w.shape for w in (ai.W_q, ai.W_k, ai.W_v, ai.W_o)})
        print(len(ai._generate(ai._tokenize("Hola"), max_len=20)), ai._decode(ai._tokenize("hola")), round(ai._estimate_ram(), 1))''').splitlines()
    assert out[0].startswith('IA inicializada:')
    assert [l.strip() for l in out[1:4]] == ['Vocabulario: 10000 tokens', 'Embeddings: 64 dimensiones', 'RAM estimada: 2.5 MB']
    estimated, measured = (float(l.split(':')[1].split()[0]) for l in out[3:5])
    assert measured > 5*estimated # The process is what weighs
    assert out[5:] == ['True', '[0, 1, 2] (10000, 64) {(64, 64)}', '20 hola 2.5']


def test_b10_without_arguments_it_answers():
    out = said('''
        from ai_complete import ADeadAI
        ai = ADeadAI()
        print(ai.chat("Hola, ¿cómo te llamas?", temperature=0))
        near = ai.similarity("El perro corre por el parque.", "Un perro juega en el jardín.")
        print(near > ai.similarity("El perro corre por el parque.", "Es una película de drama de 1990."))
        print([*ai.analyze("Hola mundo")][:7])''').splitlines()
    assert out[1].strip() == 'Vocabulario: 4096 tokens' and 'THAU' in out[5] and out[6] == 'True'
    assert out[7] == "['num_tokens', 'num_words', 'num_chars', 'unique_tokens', 'unk_count', 'embed_mean', 'embed_std']"


def test_b11_bridge():
    assert said('''
        from adead_ffi import ADeadBIB
        adead = ADeadBIB()
        print(adead.fast_sum([1, 2, 3]), adead.fast_max([4, 9, 2]), adead.fast_min([4, 9, 2]))''') == '6 9 2\n'


@pytest.mark.skipif(not which('cc'), reason='no C compiler here')
def test_b11_bridge_compiles():
    assert said('''
        from adead_ffi import ADeadBIB
        adead = ADeadBIB()
        code = '#include <stdio.h>\\nint main() { int n; scanf("%d", &n); printf("%d", 2*n); }'
        print(adead.run_code(code, input_data="21"), adead.run(adead.compile_code(code), "4"))''') == '42 8\n'


def test_b11_words():
    assert said('''
        from adead_ffi import ADeadAI
        ai = ADeadAI(vocab_size=100)
        ai.load_vocabulary(["hola", "mundo"])
        print(ai.tokenize("hola mundo raro"), ai.count_known_words("hola mundo raro"), round(ai.similarity_score("hola mundo", "hola tú"), 2))
        print(ai.analyze_text("hola mundo raro"))''').splitlines()[5:] == [
        '[3, 4, 2] 2 0.33',
        "{'total_words': 3, 'total_chars': 15, 'avg_word_length': 4.333333333333333, 'max_word_length': 5, 'min_word_length': 4, 'known_words': 2}"]


def test_b15_demo():
    out = said('''
        from ai_demo import demo
        demo()''').splitlines()
    assert out[:2] == ['Vocabulario: 1129 tokens', 'Embeddings: 1129x64 (float16) - 0.14 MB']
    assert '4 cabezas - 0.03 MB' in out[2] and '0.06 MB' in out[3] and '0.23 MB' in out[4] and 'untrained' in out[4]
    assert float(out[5].split(': ')[1].split()[0]) > 10 and out[5].startswith('RAM del proceso') # Beside the weights, what it really takes
    assert out[7].strip().startswith('12 tokens, 10 palabras')
