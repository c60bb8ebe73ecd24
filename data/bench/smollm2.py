"""How far SmolLM2-135M-Instruct (Q4_1) says the same here and in llama.cpp, and how far two builds of llama.cpp do.

    python data/bench/smollm2.py            (after make bench, which fetches the model and llama.cpp)

Writes data/bench/smollm2.json: tokens shared before the first difference, greedy, 64 at most, for 20 prompts as plain text and 20 as a question in a
chat; and bits per byte of held-out Wikipedia texts."""
import json, math
from pathlib import Path
from statistics import mean

from thau.engine.files import data_dir, write_json
from thau.engine.generate import Generator
from thau.engine.peers import libraries, llama_cpp, llama_cpp_nats, smollm2
from thau.growth.corpus import held_out_documents

PLAIN = ['The capital of France is', 'Once upon a time', 'La capital de España es', 'def fibonacci(n):', 'Water boils at', 'The best way to learn a language is', 'In 1969, humans',
         'El perro de mi vecino', 'To make bread you need', 'My favourite animal is', 'The theory of evolution', 'Dear Sir or Madam,', 'La historia de México', '1, 2, 3, 4,', 'The sun is',
         'Question: What is gravity?\nAnswer:', 'Cooking pasta requires', 'When I was young,', 'Computers work by', 'She opened the door and']
ASKED = ['What is the capital of France?', 'Tell me a short story.', '¿Cuál es la capital de España?', 'Write a function that adds two numbers.', 'When does water boil?', 'How do I learn a language?',
         'Who walked on the moon?', '¿Qué comen los perros?', 'How do I make bread?', 'Name three animals.', 'What is evolution?', 'Write a letter to my bank.', 'Cuéntame algo de México.', 'Count to ten.',
         'What is the sun?', 'What is gravity?', 'How do I cook pasta?', 'Give me advice for young people.', 'How do computers work?', 'Write a poem about a door.']
TOKENS, TEXTS = 64, 12

def shared(a, b):
    "Tokens before the first difference; all of them if there is none."
    n = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), None)
    return TOKENS if n is None else n

def said(generator, prompts):
    "What each contestant says to each prompt."
    path, out = smollm2(), {'ours': [generator.say(p, tokens=TOKENS, temperature=0)['tokens'] for p in prompts]}
    for name, library in libraries().items():
        out[name] = [llama_cpp(path, p, TOKENS, library=library)['tokens'] for p in prompts]
        ends = set(generator.tokenizer.eos)
        out[name] = [t[:next((i for i, x in enumerate(t) if x in ends), len(t))] for t in out[name]]
    return out

def agreement(out):
    "Mean tokens shared, of each two contestants."
    names = list(out)
    return {f'{a} and {b}': mean(shared(x, y) for x, y in zip(out[a], out[b])) for i, a in enumerate(names) for b in names[i + 1:]}

def bits(generator):
    "Bits per byte, after the first token of each text."
    texts = [d.text[:1500] for lang in ('es', 'en') for d in held_out_documents(lang, 'wikipedia', TEXTS)]
    rows, size = [generator.tokenizer.encode(t) for t in texts], sum(len(t.encode()) for t in texts)
    ours = 0.
    for ids in rows:
        for i in range(1, len(ids)):
            generator.session.read(ids[:i])
            ours += generator.session.surprise(ids[i])
    nats = {'ours': ours} | {n: sum(llama_cpp_nats(smollm2(), rows, lib)) for n, lib in libraries().items()}
    return {n: v/math.log(2)/size for n, v in nats.items()}

def main():
    generator = Generator.from_model(str(smollm2()))
    chat = [[generator.tokenizer.special['<|im_start|>'], *generator.tokenizer.encode('user\n' + q), generator.tokenizer.special['<|im_end|>'],
            *generator.tokenizer.encode('\n'), generator.tokenizer.special['<|im_start|>'], *generator.tokenizer.encode('assistant\n')] for q in ASKED]
    result = dict(plain=agreement(said(generator, [generator.encode(p) for p in PLAIN])), chat=agreement(said(generator, chat)), bits_per_byte=bits(generator))
    write_json(Path(data_dir())/'bench'/'smollm2.json', dict(command='python data/bench/smollm2.py', tokens=TOKENS, **result))
    print(json.dumps(result, indent=1))

if __name__ == '__main__': main()
