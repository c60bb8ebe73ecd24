"""Growth where it is large, and where the model is somebody else's.

    python data/bench/growth.py FOLDER [ROW…]      rows: main, giant, smollm2 (make bench-peers fetches that model); all if none is named

Works in FOLDER (about 25 GB), which may be deleted afterwards. Writes data/bench/growth.json, each row by itself:
main: ages 0 and 1 of the `main` ladder are trained, checkpointed and expanded, by `thau grow`;
giant: an age 12 of random weights (float32) becomes an age 15, by `thau expand`;
smollm2: SmolLM2-135M-Instruct becomes about twice as large, and is asked the same questions before and after, by the engine and by llama.cpp."""
import json, os, subprocess, sys, time
from pathlib import Path

import numpy as np

from thau.engine.files import data_dir, new_folder, read_json, write_json
from thau.engine.generate import Generator
from thau.engine.peers import libraries, llama_cpp, smollm2
from thau.engine.shape import to_config
from thau.growth.ages import shape_of
from thau.growth.operators import part_of, size_of
from thau.growth.safetensors_file import write_safetensors
from thau.growth.weights import stored_name, tensor_names
from smollm2 import ASKED, PLAIN, shared

OUT = Path(data_dir())/'bench'/'growth.json'

def child(*args):
    "A command of ours in a process of its own: what it answers, its peak memory, its time."
    began = time.monotonic()
    work = subprocess.Popen([str(Path(sys.executable).with_name('thau')), *map(str, args), '--json'], stdout=subprocess.PIPE, text=True)
    said = work.stdout.read()
    _, status, used = os.wait4(work.pid, 0)
    if status: raise SystemExit(f'thau {args[0]} failed')
    return dict(command='thau ' + ' '.join(str(a).replace(str(FOLDER), 'FOLDER') for a in args), peak_rss_mb=round(used.ru_maxrss / 1024, 1), seconds=round(time.monotonic() - began, 1)), json.loads(said.splitlines()[-1])

def main_ladder():
    "Two ages of the large ladder, really trained, if only for a few steps."
    about, report = child('grow', '--ladder', 'main', '--to', 1, '--steps', 6, '--out', FOLDER/'main')
    grown, older = child('expand', FOLDER/'main', '--age', 3, '--out', FOLDER/'main-3')
    keep = ('age', 'params', 'tokens', 'bits_per_byte', 'loss_before_growth', 'loss_after_growth', 'seconds', 'peak_rss_mb')
    return about | dict(ages=[{k: a[k] for k in keep} for a in report['ages']], expanded=grown | {k: older[k] for k in ('params_before', 'params_after', 'max_logit_change')})

def random_directory(shape, folder):
    "A model directory of random weights, written a few rows at a time."
    dice, sizes = np.random.default_rng(0), {n: size_of(shape, part_of(n)) for n in tensor_names(shape)}
    table = {stored_name(n): ('F32', *(1, 1, *size)[-2:]) for n, size in sizes.items()}
    def read(rows, cols):
        return lambda part: np.ones((1, cols), 'f4') if rows == 1 else dice.standard_normal((len(range(*part.indices(rows))), cols), 'f4') * cols**-0.5
    with new_folder(folder) as temp:
        write_safetensors(temp/'model.safetensors', table, ((n, read(r, c)) for n, (_, r, c) in table.items()))
        write_json(temp/'config.json', to_config(shape)); write_json(temp/'thau.json', dict(ladder='main', age=12, lineage=[12]))

def giant():
    "From 0.93 to 2.08 billion weights."
    random_directory(shape_of('main', 12), FOLDER/'age-12')
    about, result = child('expand', FOLDER/'age-12', '--age', 15, '--out', FOLDER/'age-15')
    return about | {k: result[k] for k in ('params_before', 'params_after', 'max_logit_change')}

def greedy(path, prompts, library):
    "What a model says to each prompt: here, or in llama.cpp."
    if library: return [llama_cpp(path, p, 64, library=library)['tokens'] for p in prompts]
    voice = Generator.from_model(str(path))
    return [voice.say(p, tokens=64, temperature=0)['tokens'] for p in prompts]

def somebodys():
    "SmolLM2, imported, grown to twice its size, exported again."
    child('import', smollm2(), '--out', FOLDER/'smol')
    about, grown = child('expand', FOLDER/'smol', '--d-model', 768, '--n-layers', 36, '--n-heads', 12, '--n-kv-heads', 4, '--d-ff', 1792, '--out', FOLDER/'smol-grown')
    words = Generator.from_model(str(FOLDER/'smol'))
    prompts, same = [words.encode(p) for p in PLAIN + ASKED], {}
    for name in ('smol', 'smol-grown'): child('export', FOLDER/name, '--to', 'gguf', '--type', 'f16', '--out', FOLDER/f'{name}.gguf')
    places = dict(engine=('', '', None)) | {n: ('.gguf', '.gguf', lib) for n, lib in libraries().items()}
    for place, (a, b, library) in places.items():
        before, after = greedy(f'{FOLDER}/smol{a}', prompts, library), greedy(f'{FOLDER}/smol-grown{b}', prompts, library)
        same[place] = dict(prompts=len(prompts), identical=sum(x == y for x, y in zip(before, after)), tokens_shared=float(np.mean([shared(x, y) for x, y in zip(before, after)])))
    return about | {k: grown[k] for k in ('params_before', 'params_after', 'max_logit_change')} | dict(greedy=same)

ROWS = dict(main=main_ladder, giant=giant, smollm2=somebodys)

if __name__ == '__main__':
    FOLDER = Path(sys.argv[1]).resolve()
    for row in sys.argv[2:] or ROWS:
        table = read_json(OUT) if OUT.exists() else {}
        write_json(OUT, table | {row: ROWS[row]()})
