"""A run that is killed at random instants ends at the weights of the run that was left alone.

    python tests/test_kill.py 20      as many kills as you like, of a longer, compiled run, with what was there after each"""
import hashlib, random, shutil, sys, tempfile, time
from pathlib import Path

from warm import server

def corpus(folder)->Path:
    path = folder/'text.txt'
    path.write_text('\n\n'.join(f'La casa número {i} es azul y tiene {i % 9} ventanas. House number {i} has {i % 4} doors.' for i in range(900)), 'utf-8')
    return path

def run(out, text, plan, quick):
    "In a process of its own; `quick` measures on single documents and saves at every fifth step, for a short run has no five seconds between two saves."
    from thau.growth import train
    if quick:
        train.FULL = train.GLANCE = 1
        train.Run.save_due = property(lambda run: run.at.step % 5 == 0)
    train.grow(out, to=1, corpus=[text], resume=True, **plan)

def start(*args, what=run):
    process = server().Process(target=what, args=args)
    process.start()
    return process

def finish(*args, **kw):
    process = start(*args, **kw)
    process.join()
    assert process.exitcode == 0

def sums(out): return [hashlib.sha256((out/f'ages/age-{a:02d}/model.safetensors').read_bytes()).hexdigest() for a in (0, 1)]

def survive(folder:Path, kills:int, plan:dict, quick:bool, say=lambda text: None):
    "One run left alone, one killed up to `kills` times, each time before the other would have come to its end; their weights."
    text, dice, killed = corpus(folder), random.Random(0), 0
    finish(0, what=time.sleep) # Before the clock is read, for the server takes its time to begin
    began = time.monotonic()
    finish(folder/'alone', text, plan, quick)
    longest = time.monotonic() - began
    while killed < kills:
        process = start(folder/'killed', text, plan, quick)
        process.join(dice.uniform(0, longest))
        if process.exitcode is None: process.kill(); process.join(); killed += 1
        elif killed: break # It got to its end between two kills
        else: shutil.rmtree(folder/'killed'); longest /= 2 # Quicker than the run left alone, which had to compile: begin again, and be quicker
        say(f'kill {killed}: {sorted(p.name for p in (folder/"killed").glob("*/*"))}')
    finish(folder/'killed', text, plan, quick)
    assert not list((folder/'killed').rglob('*.tmp-*')), 'a half-written folder is left'
    return killed, sums(folder/'alone'), sums(folder/'killed')

def test_killed_and_resumed_is_the_same_run(tmp_path):
    kills, alone, killed = survive(tmp_path, 3, dict(steps=20, batch=4), quick=True)
    assert kills and alone == killed

if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as tmp:
        kills, alone, killed = survive(Path(tmp), int(sys.argv[1]), dict(steps=300), quick=False, say=lambda text: print(text, flush=True))
        print(kills, 'kills\nalone ', *alone, '\nkilled', *killed)
        sys.exit(alone != killed)
