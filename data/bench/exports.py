"""Whether a model says the same wherever it is exported to, before it grows and after.

    python data/bench/exports.py [RUN]      (after make bench, which fetches llama.cpp; RUN is runs/long if left out)

Writes data/bench/exports.json. Ages 0, 1 and 3 of a run, each as it is and grown to the next age, are exported in f16 and speak greedily, 24 prompts of 64 tokens: in torch, in
transformers and in the engine from the Hugging Face folder, in the engine and in two builds of llama.cpp from the GGUF file. llama.cpp by its habit (`f16`) keeps keys and values
in f16, and its flash attention rounds to f16 too; here it also runs without both (`f32`), as the others do. The build for any processor rounds whatever it multiplies with f16 weights,
so each speaks once more from the same numbers stored in 32 bits (`weights in f32`). Where texts part, `gap` is how far torch's two best logits are apart there. `growth` compares each
model with what it grew into, in f16, q8_0 and q4_0. Then the same texts through all tokenizers, SmolLM2 by the same way, and the memory that the export of the largest age needs."""
import ctypes, json, subprocess, sys, tempfile
from pathlib import Path

from thau.engine import peers
from thau.engine.chat import encode_chat, render
from thau.engine.files import data_dir, write_json
from thau.engine.gguf_model import wanted
from thau.engine.generate import Generator
from thau.engine.imports import import_gguf
from thau.engine.shape import stored_name, to_config
from thau.growth import export
from thau.growth.export import export_gguf, export_hf

PROMPTS = ['Había una vez', 'La gata duerme en', 'Ana tiene un perro', '¿Dónde está la niña?', 'El sol sale por', 'Pedro y Lucía fueron al', 'En la cocina hay', 'La ciudad de Madrid', 'Un día, el pájaro',
           'Marta perdió su', 'El río', '—¿Quién eres? —dijo', 'Once upon a time', 'The cat sleeps on', 'Tom has a red', 'Where is the', 'The sun', 'Lily and Ben went to the', 'In the garden there is',
           'The city of London', 'One day, the bird', 'Anna lost her', 'In 1969,', '"Who are you?" said']
TEXTS = ['', ' ', 'La gata duerme.', "It's Ana's, they're 3 o'clock.", 'ÑANDÚ ñandú pingüino ¿qué? ¡olé!', '1 22 333 4.444,55 2041 ½ ² ٣٤', '  dos   espacios    ', '\n\n\tlínea\r\nfin \n ', '👩‍🚀🏳️‍🌈 ☕️ é e\u0301 ﬁ',
         '日本語のテキスト Привет مرحبا', '<|im_start|>user\nHola<|im_end|>', '<|endoftext|><tool_call>{"a": 1}</tool_call>', 'x' * 300, 'a\u00a0b\u2003c\u200bd', 'def f(x): return x**2  # sí', "l'été d'accord «sí» — “no” …",
         '\x00\x7f\u2028\ufeff', 'http://ejemplo.es/á?b=c&d=%20']
TOKENS = 64

# llama.cpp, in a process of its own

def settle(lib):
    "Say the types of what peers does not call."
    p, i, b = ctypes.c_void_p, ctypes.c_int32, ctypes.c_bool
    lib.llama_tokenize.restype, lib.llama_tokenize.argtypes = i, [p, ctypes.c_char_p, i, ctypes.POINTER(i), i, b, b]
    lib.llama_model_chat_template.restype, lib.llama_model_chat_template.argtypes = ctypes.c_char_p, [p, ctypes.c_char_p]
    return lib

class Llama(peers._Session):
    "A session that rounds nothing to f16 if `kv` is f32."
    def __init__(self, path, library, kv):
        self.c = c = settle(peers._bind(library))
        self.model = c.llama_model_load_from_file(str(path).encode(), c.llama_model_default_params())
        if not self.model: raise SystemExit(f'llama.cpp cannot load {path}')
        params = c.llama_context_default_params()
        params.n_ctx, params.n_seq_max = 1024, 1
        said = (ctypes.c_int32*28).from_buffer(params)
        if said[13] != -1 or said[26:] != [1, 1]: raise SystemExit(f'{library}: its settings are not where they were')
        if kv == 'f32': said[13], said[26], said[27] = 0, 0, 0 # No flash attention, keys, values
        self.ctx, self.limit = c.llama_init_from_model(self.model, params), params.n_batch
        c.llama_set_n_threads(self.ctx, 1, 1)
        self.words = c.llama_model_get_vocab(self.model)
        self.vocab = c.llama_vocab_n_tokens(self.words)
        self.greedy, self.batch = c.llama_sampler_init_greedy(), c.llama_batch_init(self.limit, 0, 1)

    def say(self, ids):
        self.clear()
        self.prompt(ids, 0)
        out = [self.best()]
        for pos in range(len(ids), len(ids) + TOKENS - 1):
            self.decode(out[-1:], [pos], [0], [True])
            out.append(self.best())
        return out

    def ids(self, text, first, tags):
        raw, room = text.encode(), (ctypes.c_int32*4096)()
        return list(room[:self.c.llama_tokenize(self.words, raw, len(raw), room, 4096, first, tags)])

def child():
    "Answer one order."
    order = json.load(sys.stdin)
    llama = Llama(order['path'], order['library'], order['kv'])
    print('\n' + json.dumps(dict(said=[llama.say(ids) for ids in order['prompts']], ids=[llama.ids(*t) for t in order['texts']],
                                 template=(llama.c.llama_model_chat_template(llama.model, None) or b'').decode())))

def llama(path, library, kv='f32', prompts=(), texts=()):
    done = subprocess.run([sys.executable, __file__, '--llama'], input=json.dumps(dict(path=str(path), library=str(library), kv=kv, prompts=prompts, texts=texts)), text=True, capture_output=True)
    if done.returncode: sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])

# The others

def by_torch(net, prompts):
    "Greedy tokens, and at each how far behind the second best was."
    import torch
    out, gaps = [], []
    with torch.inference_mode():
        for ids in prompts:
            cache, new = [[] for _ in net.layers], ids
            out.append([]); gaps.append([])
            for _ in range(TOKENS):
                two = (net.embed_tokens.weight @ net.hidden(torch.tensor([new]), cache)[0, -1]).topk(2)
                new = [two.indices[0].item()]
                out[-1] += new; gaps[-1].append((two.values[0] - two.values[1]).item())
    return out, gaps

def by_transformers(path, prompts):
    import torch, transformers
    transformers.utils.logging.disable_progress_bar()
    net = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    net.generation_config = transformers.GenerationConfig(max_new_tokens=TOKENS, pad_token_id=0) # No token ends it
    return [net.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long))[0, len(ids):].tolist() for ids in prompts]

def by_engine(path, prompts):
    generator = Generator.from_model(str(path))
    generator.tokenizer.eos = () # Go on to the last token
    return [generator.say(ids, tokens=TOKENS, temperature=0)['tokens'] for ids in prompts]

# What is asked

def parted(a, b, gaps=None):
    "How many texts are the same, and where the others part."
    at = [next((i for i, (x, y) in enumerate(zip(p, q)) if x != y), None) for p, q in zip(a, b, strict=True)]
    rest = [dict(prompt=PROMPTS[n], at=i) | (dict(gap=round(gaps[n][i], 6)) if gaps else {}) for n, i in enumerate(at) if i is not None]
    return dict(same=at.count(None), of=len(at)) | (dict(parted=rest) if rest else {})

def everywhere(folder, tmp):
    "One model in f16, by everyone; compared with torch on the same weights."
    from thau.growth.directory import load_model
    hf, gguf = (f(folder, tmp/name, 'f16')['out'] for f, name in ((export_hf, 'hf'), (export_gguf, 'x.gguf')))
    export.TYPES['f32'] = 0 # Not for users: twice the size, for nothing
    wide, model = export_gguf(hf, tmp/'wide.gguf', 'f32')['out'], load_model(hf)
    prompts = [[model.tokenizer.bos, *model.tokenizer.encode(p)] for p in PROMPTS]
    truth, gaps = by_torch(model.net, prompts)
    said = dict(transformers=by_transformers(hf, prompts), engine_hf=by_engine(hf, prompts), engine_gguf=by_engine(gguf, prompts))
    for name, lib in peers.libraries().items():
        for kv in ('f32', 'f16'): said[f'llama.cpp {name} {kv}'] = llama(gguf, lib, kv, prompts)['said']
        said[f'llama.cpp {name}, weights in f32'] = llama(wide, lib, 'f32', prompts)['said']
    return {name: parted(truth, s, gaps) for name, s in said.items()}

def growth(young, old, tmp):
    "What a model says before it grows, and after, in each kind of file."
    lib, found = peers._library(), {}
    prompts = [[0, *Generator.from_model(str(young)).tokenizer.encode(p)] for p in PROMPTS]
    for type in ('f16', 'q8_0', 'q4_0'):
        files = [export_gguf(folder, tmp/f'{i}.gguf', type)['out'] for i, folder in enumerate((young, old))]
        found[type] = {'engine': parted(*(by_engine(f, prompts) for f in files)), 'llama.cpp': parted(*(llama(f, lib, 'f32', prompts)['said'] for f in files))}
    return found

def words(folder, tmp):
    "Whether every tokenizer gives the same ids, and every template is the same."
    import transformers
    from tokenizers import Tokenizer
    gguf, theirs, plain = export_gguf(folder, tmp/'w.gguf')['out'], transformers.AutoTokenizer.from_pretrained(folder), Tokenizer.from_file(str(Path(folder)/'tokenizer.json'))
    plain.encode_special_tokens = True
    wanted_ids = [plain.encode(t, add_special_tokens=False).ids for t in TEXTS]
    generator = Generator.from_model(gguf)
    talk = [dict(role='system', content='Eres THAU.'), dict(role='user', content='¿Qué es  1969? 🙂\n'), dict(role='assistant', content="It's a year.")]
    chat = [i for i in encode_chat(generator.tokenizer, talk, add_generation_prompt=True) if i is not None]
    found = dict(engine=[generator.tokenizer.encode(t) for t in TEXTS], transformers=[theirs(t, add_special_tokens=False, split_special_tokens=True)['input_ids'] for t in TEXTS])
    for name, lib in peers.libraries().items():
        llamas = llama(gguf, lib, texts=[(t, False, False) for t in TEXTS] + [(render(talk, add_generation_prompt=True), True, True)])
        found |= {f'llama.cpp {name}': llamas['ids'][:-1]}
        chats = dict(chat_same=llamas['ids'][-1] == chat, template_same=llamas['template'].encode() == (Path(folder)/'chat_template.jinja').read_bytes())
    different = {name: [TEXTS[i] for i, (a, b) in enumerate(zip(wanted_ids, ids, strict=True)) if a != b] for name, ids in found.items()}
    return dict(texts=len(TEXTS), different=different, **chats)

def largest(tmp):
    "Memory that the export of two billion weights takes; they are zeros, for memory does not ask what they are."
    from thau.growth.ages import shape_of
    from thau.growth.safetensors_file import _table
    shape, folder = shape_of('main', 15), tmp/'large'
    folder.mkdir()
    head, _, end = _table({stored_name(n): ('BF16', rows, cols) for n, rows, cols in wanted(shape).values()})
    with open(folder/'model.safetensors', 'wb') as f:
        f.write(head); f.truncate(len(head) + end) # Takes no room on the disk
    write_json(folder/'config.json', to_config(shape, 'bfloat16'))
    (folder/'tokenizer.json').write_bytes((data_dir()/'tokenizers/main/tokenizer.json').read_bytes())
    found = dict(params=shape.params, stored_mb=round(end/2**20), largest_tensor_mb=round(2*shape.vocab_size*shape.d_model/2**20))
    for name, call, args in (('f16', 'export_gguf', dict(out=str(tmp/'l.gguf'), type='f16')), ('q8_0', 'export_gguf', dict(out=str(tmp/'l.gguf'), type='q8_0')), ('hf', 'export_hf', dict(out=str(tmp/'l'), type='f16'))):
        done = peers.in_child(f'thau.growth.export:{call}', model=str(folder), **args)
        found[name] = dict(bytes=done['bytes'], bare_rss_mb=round(done['bare_rss_mb']), peak_rss_mb=round(done['peak_rss_mb']))
    return found

def smollm(tmp):
    "SmolLM2-135M-Instruct: imported, exported, asked."
    if not peers.smollm2(): return None
    folder, prompts = import_gguf(peers.smollm2(), tmp/'smol')['out'], PROMPTS[::3]
    hf, gguf = (f(folder, tmp/name, 'f16')['out'] for f, name in ((export_hf, 'smol hf'), (export_gguf, 'smol.gguf')))
    ids = [Generator.from_model(gguf).encode(p) for p in prompts]
    truth = by_transformers(hf, ids)
    said = dict(engine_hf=by_engine(hf, ids), engine_gguf=by_engine(gguf, ids)) | {f'llama.cpp {n} f32': llama(gguf, lib, 'f32', ids)['said'] for n, lib in peers.libraries().items()}
    return dict(compared_with='transformers', **{name: parted(truth, s) for name, s in said.items()}, words=words(folder, tmp))

def main():
    from thau.growth.ages import shape_of
    from thau.growth.directory import Model, load_model, save_model
    from thau.growth.expand import expand
    run = Path(sys.argv[1] if len(sys.argv) > 1 else 'runs/long')
    result = dict(command=f'python data/bench/exports.py {run}', prompts=len(PROMPTS), tokens=TOKENS, agreement={}, growth={})
    for age, older in ((0, 1), (1, 3), (3, 6)):
        with tempfile.TemporaryDirectory() as tmp:
            tmp, young = Path(tmp), run/'ages'/f'age-{age:02}'
            model = load_model(young)
            old = save_model(Model(expand(model.net, shape_of('nursery', older)), model.tokenizer, dict(ladder='nursery', age=older)), tmp/'old')
            for name, folder in ((f'{age}', young), (f'{age} grown to {older}', old)):
                (tmp/name).mkdir()
                result['agreement'][name] = everywhere(folder, tmp/name)
            result['growth'][f'{age} to {older}'] = growth(young, old, tmp)
            if age == 0: result['words'] = words(young, tmp)
        print(json.dumps(result['agreement'], indent=1), json.dumps(result['growth'], indent=1))
    with tempfile.TemporaryDirectory() as tmp: result['smollm2'] = smollm(Path(tmp))
    with tempfile.TemporaryDirectory() as tmp: result['memory'] = largest(Path(tmp))
    write_json(data_dir()/'bench'/'exports.json', result)

if __name__ == '__main__': child() if sys.argv[1:] == ['--llama'] else main()
