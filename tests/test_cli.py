"The command as scripts meet it: real processes, exit codes, one line of JSON, one line of complaint."
import json, os, re, shutil, signal, subprocess, sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from warm import server

from thau.engine.files import check, lock, sha256

ENV = os.environ | dict(OMP_NUM_THREADS='1', LANG='C.UTF-8')
SMALL = ['--steps', 4, '--to', 1]
# Measured on single documents, for measuring takes longer than these few steps
QUICK = "import thau.growth.train as t; t.FULL = t.GLANCE = 1; from thau.cli.main import main; main()"


def command(*args):
    return [sys.executable, *(['-c', QUICK] if args[0] == 'grow' else ['-m', 'thau']), *map(str, args)]


HEAVY = 'grow', 'expand', 'learn', 'ask', 'gaps' # Their libraries take longer to load than their work to be done


def forked(args, out, err):
    "A heavy command, in the fork of a process that has the libraries; everything else is as from a shell."
    for fd, path in (1, out), (2, err): os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), fd)
    sys.stdout, sys.stderr = (open(fd, 'w', buffering=1, encoding='utf-8', closefd=False) for fd in (1, 2))
    os.environ.update(ENV)
    import torch
    torch.set_num_threads(int(ENV['OMP_NUM_THREADS']))
    sys.argv = ['thau', *args]
    exec(QUICK, {})


def thau(*args, **kw):
    if args[0] not in HEAVY: return subprocess.run(command(*args), capture_output=True, text=True, timeout=120, env=ENV, **kw)
    with TemporaryDirectory() as tmp:
        out, err = Path(tmp) / 'out', Path(tmp) / 'err'
        process = server().Process(target=forked, args=([*map(str, args)], out, err), **kw)
        process.start()
        process.join(600)
        process.kill(); process.join()
        return subprocess.CompletedProcess(args, process.exitcode, out.read_text('utf-8'), err.read_text('utf-8'))


def answered(*args, **kw):
    "The JSON that `args` answer: the whole of standard output, one line."
    done = thau(*args, '--json', **kw)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    return json.loads(done.stdout)


def refused(*args):
    "The one line in which `args` are refused."
    done = thau(*args)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, '', 1), done.stderr
    assert done.stderr.startswith('thau: ')
    return done.stderr


def contents(folder):
    return {p.relative_to(folder): sha256(p) for p in folder.rglob('*') if p.is_file()}


@pytest.fixture(scope='session')
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp('book') / 'book.txt'
    path.write_text('\n'.join(f'La gata {i} duerme al sol {i % 7} horas. The cat {i} sleeps in the sun.' for i in range(400)), encoding='utf-8')
    return path


@pytest.fixture(scope='session')
def grown(book):
    "A run of two ages, and what it answered."
    out = book.parent / 'run'
    return out, answered('grow', *SMALL, '--corpus', book, '--out', out)


@pytest.fixture
def model(grown, tmp_path):
    "A model of one's own to damage."
    return Path(shutil.copytree(grown[0] / 'ages' / 'age-00', tmp_path / 'model'))


def test_grow_leaves_what_it_says(grown):
    out, report = grown
    assert report['out'] == str(out) and [a['age'] for a in report['ages']] == [0, 1]
    fields = {'age', 'params', 'tokens', 'flops', 'bits_per_byte', 'loss_before_growth', 'loss_after_growth', 'seconds', 'peak_rss_mb', 'checkpoint'}
    for age in report['ages']:
        assert age.keys() == fields and age['bits_per_byte'].keys() == {'es', 'en'}
        check(Path(age['checkpoint']))
    assert report['ages'][0]['loss_before_growth'] is None
    assert abs(report['ages'][1]['loss_after_growth'] - report['ages'][1]['loss_before_growth']) <= 0.001
    assert {s['lang'] for s in report['samples']} == {'es', 'en'}
    assert json.loads((out / 'report.json').read_text('utf-8'))['ages'] == report['ages']
    assert (out / 'report.png').read_bytes()[:4] == b'\x89PNG'
    assert 'age 1 is done' in (out / 'training_output.log').read_text('utf-8')


def test_a_second_run_on_a_directory_is_refused_and_nothing_is_written_over(grown, book):
    out, _ = grown
    before = contents(out)
    assert 'add --resume' in refused('grow', *SMALL, '--corpus', book, '--out', out)
    assert 'was begun with to 1, not 3' in refused('grow', '--to', 3, '--out', out, '--resume')
    with lock(out): assert f'in use by process {os.getpid()}' in refused('grow', '--out', out, '--resume')
    assert {k: v for k, v in contents(out).items() if k.name != '.lock'} == {k: v for k, v in before.items() if k.name != '.lock'}


@pytest.fixture(scope='session')
def stopped(book):
    "The same run, interrupted in its first age."
    out = book.parent / 'stopped'
    run = subprocess.Popen(command('grow', *SMALL, '--corpus', book, '--out', out), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=ENV)
    for line in run.stderr:
        if 'step 2 of 8' in line: run.send_signal(signal.SIGINT); break
    rest = run.stderr.read()
    assert run.wait(60) == 1
    assert rest.splitlines()[-1] == f'thau: interrupted, and everything is saved; go on with: thau grow --out {out} --resume'
    return out


def test_interrupted_and_resumed_it_ends_the_same(stopped, grown, tmp_path):
    out = shutil.copytree(stopped, tmp_path / 'run')
    assert [a['age'] for a in answered('grow', '--out', out, '--resume')['ages']] == [0, 1]
    assert sha256(out / 'ages/age-01/model.safetensors') == sha256(grown[0] / 'ages/age-01/model.safetensors')


def test_bad_input_is_one_line(tmp_path, book):
    empty, binary = tmp_path / 'empty.txt', tmp_path / 'binary.txt'
    empty.write_text(''), binary.write_bytes(b'\x00\x01' * 99)
    for file in (empty, binary):
        assert str(file) in refused('grow', '--steps', 1, '--corpus', file, '--out', tmp_path / 'run')
    assert not (tmp_path / 'run' / 'plan.json').exists()
    assert 'unknown age 7' in refused('grow', '--to', 7, '--out', tmp_path / 'seven')
    assert not (tmp_path / 'seven').exists()
    assert str(tmp_path / 'nowhere') in refused('generate', tmp_path / 'nowhere', '--prompt', 'a')


def test_a_damaged_model_names_the_file(model, book):
    weights = model / 'model.safetensors'
    whole = weights.read_bytes()
    for broken in (whole[:-100], None):
        weights.unlink() if broken is None else weights.write_bytes(broken)
        assert str(weights) in refused('eval', model, '--text', book)


def test_eval(grown, book):
    result = answered('eval', grown[0], '--text', book)
    assert result.keys() == {'bits_per_byte', 'bytes', 'tokens'}
    assert result['bytes'] == book.stat().st_size and 0 < result['bits_per_byte'] < 8


def test_generate(grown):
    model = grown[1]['ages'][1]['checkpoint']
    result = answered('generate', model, '--prompt', 'La gata', '--tokens', 5, '--threads', 1)
    assert result.keys() == {'text', 'tokens', 'prompt_tokens', 'tok_per_s', 'prefill_tok_per_s', 'peak_rss_mb'}
    assert result['peak_rss_mb'] > 0 and len(result['tokens']) <= 5
    spoken = thau('generate', model, '--prompt', 'La gata', '--tokens', 5)
    assert (spoken.returncode, spoken.stdout.rstrip('\ufffd\n')) == (0, f'La gata{result["text"]}'.rstrip('\ufffd\n')) # A character that was cut off


@pytest.fixture(scope='session')
def packs(grown, book):
    "The run's oldest age in 8 bits and as it is, and a GGUF file of its shape."
    from thau.engine.files import data_dir
    from thau.engine.peers import write_random_gguf
    from thau.growth.ages import shape_of
    found = {bits: answered('pack', grown[0], *bits, '--out', book.parent / f'{len(bits)}.thau') for bits in ((), ('--bits', 8))}
    write_random_gguf(book.parent / 'x.gguf', shape_of('nursery', 1), 'Q8_0', data_dir() / 'tokenizers/nursery/tokenizer.json')
    return found[()], found['--bits', 8], book.parent / 'x.gguf'


def test_pack(packs):
    for made, bits in zip(packs, (32, 8.5)):
        assert made.keys() == {'out', 'bytes', 'bits_per_weight'}
        assert made['bytes'] == Path(made['out']).stat().st_size and bits <= made['bits_per_weight'] < bits + 0.2


def test_directory_pack_and_gguf_run(grown, packs, book):
    how = ['--prompt', 'La gata', '--tokens', 8, '--temperature', 0]
    plain = answered('generate', grown[0], *how)
    assert answered('generate', packs[0]['out'], *how)['tokens'] == plain['tokens'] == answered('generate', grown[0], *how, '--backend', 'torch')['tokens']
    assert answered('generate', packs[1]['out'], *how)['prompt_tokens'] == plain['prompt_tokens']
    assert len(answered('generate', packs[2], *how)['tokens']) <= 8
    exact, rounded = (answered('eval', p, '--text', book) for p in (grown[0], packs[1]['out']))
    assert rounded['bytes'] == exact['bytes'] and abs(rounded['bits_per_byte'] / exact['bits_per_byte'] - 1) < 0.01
    assert answered('eval', packs[2], '--text', book)['bits_per_byte'] > 0


def test_what_only_listens_needs_no_torch(packs, book, tmp_path):
    pack, first = packs[1]['out'], ['generate', '--prompt', 'a', '--tokens', '2']
    calls = first, ['generate', pack, *first[1:]], ['generate', str(packs[2]), *first[1:]], ['eval', pack, '--text', str(book)], ['chat', '--once', 'Hola'], ['pack', '--bits', '8', '--out', str(tmp_path / 'x.thau')], ['corpus', 'list']
    code = f'import sys; from thau.cli.main import run; assert not any(run(c) for c in {calls!r}); assert not {{"torch", "transformers"}} & {{*sys.modules}}'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env=ENV)
    assert done.returncode == 0, done.stderr


def test_import(packs, tmp_path):
    made = answered('import', packs[2], '--out', tmp_path / 'in')
    assert made == dict(out=str(tmp_path / 'in'), params=893_568)
    check(tmp_path / 'in')
    how = ['--prompt', 'La gata', '--tokens', 3, '--temperature', 0]
    assert answered('generate', tmp_path / 'in', *how)['tokens'] == answered('generate', tmp_path / 'in', *how, '--backend', 'torch')['tokens']
    assert 'already there' in refused('import', packs[2], '--out', tmp_path / 'in')


def test_bad_packs_and_files_are_one_line(packs, tmp_path, book):
    pack, out = packs[1]['out'], tmp_path / 'out.thau'
    (tmp_path / 'cut.thau').write_bytes(Path(pack).read_bytes()[:9999])
    (tmp_path / 'cut.gguf').write_bytes(packs[2].read_bytes()[:9999])
    for file in ('cut.thau', 'cut.gguf', 'none.thau', 'none.gguf'):
        assert str(tmp_path / file) in refused('generate', tmp_path / file, '--prompt', 'a')
        assert str(tmp_path / file) in refused('eval', tmp_path / file, '--text', book)
    assert 'is neither' in refused('generate', book, '--prompt', 'a')
    assert re.search(r'the prompt has \d+ tokens, the context 2048', refused('generate', pack, '--prompt', 'gata ' * 3000))
    assert 'torch runs model directories' in refused('generate', pack, '--prompt', 'a', '--backend', 'torch')
    assert 'there are native, jit and torch' in refused('generate', pack, '--prompt', 'a', '--backend', 'cuda')
    assert '--bits must be 8 or 4, not 5' in refused('pack', '--bits', 5, '--out', out)
    assert 'is a pack already' in refused('pack', pack, '--bits', 4, '--out', out)
    assert 'is no pack' in refused('pack', '--bits', 8, '--out', book)
    assert str(tmp_path / 'cut.gguf') in refused('pack', tmp_path / 'cut.gguf', '--bits', 8, '--out', out)
    for file in (tmp_path / 'cut.gguf', book, tmp_path / 'none.gguf'): assert str(file) in refused('import', file, '--out', tmp_path / 'in')
    assert 'thau import makes one' in refused('expand', pack, '--age', 3, '--out', tmp_path / 'in')
    assert sorted(p.name for p in tmp_path.iterdir()) == ['cut.gguf', 'cut.thau'] # Nothing half made


def test_chat(grown, tmp_path):
    result = answered('--json', 'chat', grown[0], '--once', 'Hola', '--home', tmp_path)
    assert result == dict(text=result['text'], tool_calls=[], images=[], memories=[])
    assert [t['content'] for t in json.loads((tmp_path / 'conversation.json').read_text('utf-8'))] == ['Hola', result['text']]
    talk = thau('chat', grown[0], input='/ayuda\n/salir\n')
    assert talk.returncode == 0 and talk.stdout.startswith('Hello, I am THAU')


def test_expand_never_writes_over(grown, tmp_path):
    result = answered('expand', grown[0], '--age', 3, '--out', tmp_path / 'older')
    assert (result['params_before'], result['params_after']) == (893_568, 2_410_176) and result['max_logit_change'] <= 1e-4
    assert 'already there' in refused('expand', grown[0], '--age', 3, '--out', tmp_path / 'older')


VERBS = 'grow', 'eval', 'generate', 'pack', 'import', 'export', 'expand', 'ask', 'learn', 'gaps', 'tools', 'memory', 'image', 'image train', 'demo', 'corpus', 'plan', 'report', 'chat', 'serve', 'bench', 'doctor'

def test_help_and_completion_know_every_verb():
    listed = re.findall(r'^  (\w+(?: \w+)?)  ', thau('--help').stdout.split('Commands:')[1], re.M)
    assert sorted(listed) == sorted(VERBS)
    done = subprocess.run([sys.executable, '-m', 'thau'], capture_output=True, text=True, env=ENV | dict(_THAU_COMPLETE='complete_bash', COMP_WORDS='thau im', COMP_CWORD='1'))
    assert done.stdout.strip().split('\n') == ['image', 'image train', 'import']


def test_ask_and_gaps(grown, tmp_path):
    (tmp_path / 'q.jsonl').write_text('{"id": "a", "q": "¿Cuál es la capital de Zandoria?", "lang": "es"}\n{"id": 2, "q": "Who tamed the dragon of Murn?"}\n', encoding='utf-8')
    assert answered('ask', grown[0], '--questions', tmp_path / 'q.jsonl', '--out', tmp_path / 'p.jsonl')['questions'] == 2
    rows = [json.loads(line) for line in (tmp_path / 'p.jsonl').read_text('utf-8').splitlines()]
    assert [(r['id'], r['lang']) for r in rows] == [('a', 'es'), (2, 'en')] and all(r.keys() == {'id', 'q', 'lang', 'answer', 'abstained', 'gap_score'} and 0 <= r['gap_score'] <= 1 for r in rows)
    talk = [dict(role='user', content='¿Quién domó al dragón de Murn?'), dict(role='assistant', content='No lo sé.')]
    (tmp_path / 'conversation.json').write_text(json.dumps(talk))
    found = answered('gaps', grown[0], '--conversation', tmp_path / 'conversation.json')['gaps']
    assert [g.keys() for g in found] == [{'topic', 'evidence', 'severity'}] and 'Murn' in found[0]['topic']
    assert 'line 1 needs an id' in refused('ask', grown[0], '--questions', __file__, '--out', tmp_path / 'x.jsonl')


def test_what_is_refused_to_be_learned_has_a_code_of_its_own(grown, tmp_path):
    (tmp_path / 'conversation.json').write_text('[{"role": "user", "content": "Hola"}, {"role": "assistant", "content": "Hola"}]')
    done = thau('learn', grown[0], '--from-chat', '--home', tmp_path, '--out', tmp_path / 'wiser')
    assert (done.returncode, done.stdout, done.stderr.count('\n')) == (3, '', 1) and 'nothing to learn' in done.stderr and not (tmp_path / 'wiser').exists()
    assert 'give --source FILE or --from-chat' in refused('learn', grown[0], '--out', tmp_path / 'wiser')
    assert 'no conversation' in refused('learn', '--from-chat', '--home', tmp_path / 'none', '--out', tmp_path / 'wiser')


def test_pictures_and_server_are_refused_in_a_line(tmp_path):
    assert 'is not a .png file' in refused('image', 'un tren', '--out', tmp_path / 'tren.gif')
    assert 'a key is needed' in refused('serve', '--host', '0.0.0.0')
    assert 'no such model' in refused('serve', tmp_path / 'nowhere')
    assert not any(tmp_path.iterdir())


def test_doctor_and_corpus():
    found = answered('doctor')
    assert {'versions', 'extras', 'ram_mb', 'processor', 'paths', 'model', 'params', 'micro_model'} <= found.keys()
    assert (Path(found['micro_model']) / 'config.json').exists() and found['kernels'].keys() == {'level', 'library', 'bytes', 'linker'}
    assert {'wikipedia', 'stories', 'randfacts'} <= {c['name'] for c in answered('corpus', 'list')['corpora']}


DISK = 'mount -t tmpfs -o size="$1" none "$2" && cp -r "$3" "$2"/run && shift 3 && "$@"; code=$?; cp -r "$DISK"/run "$LEFT"; exit $code'
can_mount = shutil.which('unshare') and subprocess.run(['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs none /mnt'], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_mount, reason='needs a user namespace for a small disk')
def test_a_full_disk_is_named_and_the_checkpoint_stays(stopped, tmp_path):
    disk, left = tmp_path / 'disk', tmp_path / 'left'
    disk.mkdir()
    room = sum(p.stat().st_size + 4096 for p in stopped.rglob('*')) + 500_000
    done = subprocess.run(['unshare', '-Urm', 'sh', '-c', DISK, 'sh', str(room), disk, stopped, *command('grow', '--out', disk / 'run', '--resume')],
                          capture_output=True, text=True, env=ENV | dict(DISK=str(disk), LEFT=str(left)), timeout=120)
    complaint = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and complaint.startswith(f'thau: cannot write {disk}/run/') and 'free some space' in complaint, done.stderr
    assert 'Traceback' not in done.stderr
    assert contents(left / 'checkpoints') == contents(stopped / 'checkpoints') and not list(left.glob('ages/*'))
