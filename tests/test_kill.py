"""A run that is killed at random instants ends at the weights of the run that was left alone.

    python tests/test_kill.py 20      as many kills as you like, with what happened at each"""
import hashlib, random, subprocess, sys, tempfile, time
from pathlib import Path

STEPS, AGES = 60, 2

def corpus(folder)->Path:
    path = folder/'text.txt'
    path.write_text('\n\n'.join(f'La casa número {i} es azul y tiene {i % 9} ventanas. House number {i} has {i % 4} doors.' for i in range(900)), 'utf-8')
    return path

def start(out, text):
    return subprocess.Popen([sys.executable, '-m', 'thau', 'grow', '--to', '1', '--steps', str(STEPS), '--corpus', text, '--out', out, '--resume', '--json'],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

def finish(out, text):
    run = start(out, text)
    _, err = run.communicate()
    assert run.returncode == 0, err

def sums(out): return [hashlib.sha256((out/f'ages/age-{a:02d}/model.safetensors').read_bytes()).hexdigest() for a in (0, 1)]

def survive(folder:Path, kills:int, say=lambda text: None):
    "One run alone, one killed `kills` times; their weights."
    text, dice = corpus(folder), random.Random(0)
    began = time.monotonic(); finish(folder/'alone', text); took = time.monotonic() - began
    for i in range(kills):
        run = start(folder/'killed', text)
        time.sleep(dice.uniform(0.1, took)); run.kill(); run.wait()
        say(f'kill {i + 1}: checkpoints {[p.name for p in (folder/"killed"/"checkpoints").glob("*")]}, ages {[p.name for p in (folder/"killed"/"ages").glob("*")]}')
    finish(folder/'killed', text)
    assert not list((folder/'killed').rglob('*.tmp-*')), 'a half-written folder is left'
    return sums(folder/'alone'), sums(folder/'killed')

def test_killed_and_resumed_is_the_same_run(tmp_path):
    alone, killed = survive(tmp_path, kills=6)
    assert alone == killed

if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as tmp:
        alone, killed = survive(Path(tmp), int(sys.argv[1]), print)
        print('alone ', *alone, '\nkilled', *killed)
        sys.exit(alone != killed)
