"Two processes train as one does: the same losses, through long rows, uneven batches and a growth step; killed, and gone on with by fewer or more."
import json, os, shutil, signal, socket
from itertools import islice
from pathlib import Path

from warm import server

STEPS, SAVE = 25, 10 # At each of two ages; between checkpoints

def begin(home:Path):
    "A text, and a run that is planned and not begun: three rows a batch, which two processes cannot share evenly."
    from thau.engine.tokenizer import ThauTokenizer
    from thau.growth.batches import encode_documents
    from thau.growth.corpus import training_documents
    from thau.growth.plan import Plan, save_plan
    text = home/'text.txt'
    text.write_text('\n\n'.join(d.text for d in islice(training_documents(['wikipedia']), 400)), 'utf-8')
    tokens = encode_documents(training_documents([text]), ThauTokenizer.from_ladder())
    save_plan(Plan('nursery', [0, 1], STEPS, [str(text)], tokens.sha256, batch=3, row=64), home/'plan')
    return text

def walk(out, text, last, said, env):
    "One of the processes: grow as `out/plan.json` says, every loss in `out/losses.jsonl`, all that is said in `said`; die at step `last`, as by kill -9."
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    os.environ.update(env)
    from thau.growth import optimizer, train
    train.FULL = train.GLANCE = train.LOG_EVERY = 1
    optimizer.MUON_LR = optimizer.ADAM_LR = 0.0012 # The usual rate is for batches of twenty times the tokens; here it would make noise louder
    train.Run.save_due = property(lambda run: run.at.step % SAVE == 0)
    step, losses = train.Learner.step, []
    def heard(*args): losses.append(step(*args)); return losses[-1]
    train.Learner.step = heard
    def tell(kind, record):
        if kind != 'step': return
        with open(f'{out}/losses.jsonl', 'a') as f: f.write(json.dumps([record['step'], losses[-1]]) + '\n')
        if record['step'] == last: os.kill(os.getpid(), signal.SIGKILL)
    train.grow(out, corpus=[text], resume=True, on_event=tell)

def run(out, text, n, last=0):
    "`n` processes to the end of the run, or to the death of the first at step `last`; their exit codes, and what they said."
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]
    said = [out.parent/f'said-{r}' for r in range(n)]
    env = dict(WORLD_SIZE=str(n), MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    started = [server().Process(target=walk, args=(out, text, last, said[r], env | dict(RANK=str(r)))) for r in range(n)]
    try:
        for p in started: p.start()
        for p in started: p.join(600)
    finally:
        for p in started: p.kill(); p.join()
    return [p.exitcode for p in started], [p.read_text() for p in said]

def losses(out):
    "Of each step, as it was last taken."
    return dict(json.loads(line) for line in (out/'losses.jsonl').read_text().splitlines())

def far(a, b):
    "The largest difference of two runs' losses."
    a, b = losses(a), losses(b)
    assert list(sorted(a)) == list(sorted(b)) == list(range(1, 2*STEPS + 1))
    return max(abs(a[i] - b[i]) for i in a)

def test_many_processes_are_one(tmp_path):
    from thau.growth.directory import load_model
    text = begin(tmp_path)
    one, two, mixed = (tmp_path/name for name in ('one', 'two', 'mixed'))
    for out in (one, two, mixed): shutil.copytree(tmp_path/'plan', out)

    assert run(one, text, 1) == ([0], [''])
    assert run(two, text, 2) == ([0, 0], ['', ''])
    assert far(one, two) <= 1e-5

    assert run(mixed, text, 1, last=17)[0] == [-signal.SIGKILL]
    died, said = run(mixed, text, 2, last=33)
    assert died[0] == -signal.SIGKILL and died[1], said
    assert sorted(p.name for p in (mixed/'checkpoints'/'step-00000030').glob('*-of-*')) == [f'{stem}-0000{i}-of-00002.safetensors' for stem in ('model', 'optimizer') for i in (1, 2)]
    assert run(mixed, text, 1) == ([0], [''])
    assert far(one, mixed) <= 1e-5
    assert not list(mixed.rglob('*.tmp-*'))

    a, b = (json.loads((out/'checkpoints'/'step-00000050'/'standing.json').read_text())['reports'][1] for out in (one, two))
    assert abs(a['loss_after_growth'] - b['loss_after_growth']) <= 1e-5 and abs(b['loss_before_growth'] - b['loss_after_growth']) <= 1e-4
    assert abs(a['bits_per_byte']['es'] - b['bits_per_byte']['es']) <= 1e-4
    nets = [load_model(path).net for path in (one/'ages'/'age-01', two/'ages'/'age-01', two/'checkpoints'/'step-00000050')]
    for p, q, r in zip(*(net.parameters() for net in nets)): assert (p - q).abs().max() <= 1e-3 and (q == r).all()
