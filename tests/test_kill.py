"""A run that is killed at random instants ends at the weights of the run that was left alone.

    python tests/test_kill.py 20      as many kills as you like, of a longer, compiled run, with what was there after each"""
import hashlib, random, subprocess, sys, tempfile, time
from pathlib import Path

def corpus(folder)->Path:
    path = folder/'text.txt'
    path.write_text('\n\n'.join(f'La casa número {i} es azul y tiene {i % 9} ventanas. House number {i} has {i % 4} doors.' for i in range(900)), 'utf-8')
    return path

def start(out, text, steps):
    return subprocess.Popen([sys.executable, '-m', 'thau', 'grow', '--to', '1', '--steps', str(steps), '--corpus', text, '--out', out, '--resume', '--json'],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

def finish(out, text, steps):
    run = start(out, text, steps)
    _, err = run.communicate()
    assert run.returncode == 0, err

def sums(out): return [hashlib.sha256((out/f'ages/age-{a:02d}/model.safetensors').read_bytes()).hexdigest() for a in (0, 1)]

def survive(folder:Path, kills:int, steps:int, longest:float, say=lambda text: None):
    "One run left alone, one killed up to `kills` times, each time within `longest` seconds of its start; their weights."
    text, dice, killed = corpus(folder), random.Random(0), 0
    finish(folder/'alone', text, steps)
    while killed < kills:
        run = start(folder/'killed', text, steps)
        time.sleep(dice.uniform(0.1, longest))
        if run.poll() is not None: break # It got to its end between two kills
        run.kill(); run.communicate(); killed += 1
        say(f'kill {killed}: {sorted(p.name for p in (folder/"killed").glob("*/*"))}')
    finish(folder/'killed', text, steps)
    assert not list((folder/'killed').rglob('*.tmp-*')), 'a half-written folder is left'
    return killed, sums(folder/'alone'), sums(folder/'killed')

def test_killed_and_resumed_is_the_same_run(tmp_path):
    kills, alone, killed = survive(tmp_path, kills=5, steps=40, longest=8)
    assert kills and alone == killed

if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as tmp:
        kills, alone, killed = survive(Path(tmp), int(sys.argv[1]), steps=300, longest=16, say=lambda text: print(text, flush=True))
        print(kills, 'kills\nalone ', *alone, '\nkilled', *killed)
        sys.exit(alone != killed)
