"The command as scripts meet it: real processes, exit codes, one line of JSON, one line of complaint."
import json, os, resource, shutil, signal, subprocess, sys, time
from pathlib import Path

import pytest

from thau.engine.files import check, lock, sha256

ENV = os.environ | dict(OMP_NUM_THREADS='1', LANG='C.UTF-8')
SMALL = ['--steps', 6, '--to', 1] # Two ages, a few seconds


def thau(*args, **kw):
    return subprocess.run([sys.executable, '-m', 'thau', *map(str, args)], capture_output=True, text=True, timeout=120, env=ENV, **kw)


def answered(*args, **kw):
    "The JSON that `args` answer: the whole of standard output, one line."
    done = thau(*args, '--json', **kw)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    return json.loads(done.stdout)


def refused(*args, code=2, **kw):
    "The one line in which `args` are refused."
    done = thau(*args, **kw)
    complaints = [line for line in done.stderr.splitlines() if line.startswith('thau: ')]
    assert (done.returncode, len(complaints), done.stdout) == (code, 1, ''), done.stderr
    assert 'Traceback' not in done.stderr
    return complaints[0]


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


def test_interrupted_it_saves_and_resumed_it_ends_the_same(grown, book, tmp_path):
    out = tmp_path / 'run'
    run = subprocess.Popen([sys.executable, '-m', 'thau', 'grow', *map(str, SMALL), '--corpus', book, '--out', out], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=ENV)
    for line in run.stderr:
        if 'step 2 of 12' in line: run.send_signal(signal.SIGINT); break
    rest = run.stderr.read()
    assert run.wait(60) == 1
    assert rest.splitlines()[-1] == f'thau: interrupted, and everything is saved; go on with: thau grow --out {out} --resume'
    assert [a['age'] for a in answered('grow', '--out', out, '--resume')['ages']] == [0, 1]
    assert sha256(out / 'ages/age-01/model.safetensors') == sha256(grown[0] / 'ages/age-01/model.safetensors')


def test_bad_input_is_one_line(tmp_path, book):
    empty, binary, latin = (tmp_path / name for name in ('empty.txt', 'binary.txt', 'latin.txt'))
    empty.write_text(''), binary.write_bytes(b'\x00\x01' * 99), latin.write_bytes('cañón'.encode('latin-1'))
    for file in (empty, binary, latin, tmp_path / 'nowhere.txt'):
        assert str(file) in refused('grow', '--steps', 1, '--corpus', file, '--out', tmp_path / 'run')
    assert not (tmp_path / 'run' / 'plan.json').exists()
    assert 'unknown age 7' in refused('grow', '--to', 7, '--out', tmp_path / 'seven')
    assert not (tmp_path / 'seven').exists()
    assert '--minutes or --steps' in refused('grow', '--minutes', 1, '--steps', 1)
    assert str(tmp_path / 'nowhere') in refused('generate', tmp_path / 'nowhere', '--prompt', 'a')


def test_a_damaged_model_names_the_file(model, book):
    weights = model / 'model.safetensors'
    whole = weights.read_bytes()
    for broken in (whole[:-100], whole[:-1] + bytes([whole[-1] ^ 1]), None):
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
    assert (spoken.returncode, spoken.stdout) == (0, f'La gata{result["text"]}\n')


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


def test_doctor_and_corpus():
    found = answered('doctor')
    assert {'versions', 'ram_mb', 'processor', 'paths', 'model', 'params', 'micro_model'} <= found.keys()
    assert {'wikipedia', 'stories', 'randfacts'} <= {c['name'] for c in answered('corpus', 'list')['corpora']}


def small_files(): # No file may grow beyond this, and writing more fails as on a full disk
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))


def test_without_room_it_fails_in_one_line_and_the_old_stays(grown, book, tmp_path):
    out = Path(shutil.copytree(grown[0], tmp_path / 'run'))
    older = tmp_path / 'older'
    assert str(older) in refused('expand', out, '--age', 3, '--out', older, code=1, preexec_fn=small_files)
    assert not older.exists()
    assert str(tmp_path / 'new') in refused('grow', *SMALL, '--corpus', book, '--out', tmp_path / 'new', code=1, preexec_fn=small_files)
    assert not list((tmp_path / 'new').glob('ages/*'))
    assert contents(out) == contents(grown[0])


TMPFS = 'mount -t tmpfs -o size=3m none "$1" && shift && exec "$@"'
can_mount = shutil.which('unshare') and subprocess.run(['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs none /mnt'], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_mount, reason='needs a user namespace for a small disk')
def test_a_full_disk_is_named(book, tmp_path):
    disk = tmp_path / 'disk'
    disk.mkdir()
    done = subprocess.run(['unshare', '-Urm', 'sh', '-c', TMPFS, 'sh', disk, sys.executable, '-m', 'thau', 'grow', *map(str, SMALL), '--corpus', book, '--out', disk / 'run'],
                          capture_output=True, text=True, env=ENV, timeout=120)
    complaint = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and complaint.startswith(f'thau: cannot write {disk}/run/') and 'free some space' in complaint, done.stderr
    assert 'Traceback' not in done.stderr
