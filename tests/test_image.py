"""Pictures: every wish that cannot be fulfilled says why and leaves nothing behind; a lesson cut short goes on to the same painter.

    python tests/test_image.py 20      as many kills as you like, of a longer run"""
import inspect, itertools, json, os, random, shutil, signal, subprocess, sys, tempfile, time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('diffusers')
from PIL import Image

from thau.engine.files import DiskError, data_dir, sha256
from thau.image import captions, emoji, scenes
from thau.image.checking import check
from thau.image.generator import ThauImageGenerator
from thau.image.painter import new_painter, new_pipeline
from thau.image.pictures import read_about
from thau.image.teach import lesson

SMALL = dict(num_inference_steps=2, width=64, height=64, seed=1)


@pytest.fixture(scope='module')
def painter(tmp_path_factory):
    "One that learned nothing: its pictures are grey, all else is real."
    folder = tmp_path_factory.mktemp('painter') / 'painter'
    new_pipeline(new_painter(layers=1)).save_pretrained(folder)
    return folder


@pytest.fixture
def copy(painter, tmp_path): return Path(shutil.copytree(painter, tmp_path / 'copy'))


def refused(gen, kind, why, **wish):
    "A wish that is not fulfilled: typed, explained in a line, and nothing is left."
    before = {p: p.read_bytes() for p in gen.output_dir.rglob('*') if p.is_file()}
    answer = gen.generate_image(**dict(prompt='una casa', **SMALL) | wish)
    assert (answer['success'], answer['image'], answer['path'], answer['metadata']) == (False, None, None, None)
    assert answer['error_type'] == kind and why in answer['error'] and '\n' not in answer['error'], answer
    assert {p: p.read_bytes() for p in gen.output_dir.rglob('*') if p.is_file()} == before


@pytest.mark.parametrize('wish, why', [
    (dict(prompt=''), 'empty'), (dict(prompt=' \n\t'), 'empty'), (dict(prompt='a' * 10_000), '10000 characters'), (dict(prompt=None), 'no text'), (dict(prompt=7), 'no text'), (dict(prompt=['a']), 'no text'),
    (dict(negative_prompt='b' * 10_000), '10000 characters'), (dict(width=100), 'multiple of 8'), (dict(height=65), 'multiple of 8'), (dict(width=24), '32 to 1024'), (dict(height=1032), '32 to 1024'),
    (dict(width=0), '32 to 1024'), (dict(width=-64), '32 to 1024'), (dict(width='64'), 'whole number'), (dict(width=64.0), 'whole number'), (dict(height=True), 'whole number'), (dict(num_inference_steps=0), '1 to 500'),
    (dict(num_inference_steps=10**6), '1 to 500'), (dict(guidance_scale=float('nan')), 'guidance_scale'), (dict(guidance_scale='7'), 'guidance_scale'), (dict(seed=-1), 'seed'), (dict(seed=2**70), 'seed'), (dict(seed='x'), 'seed')])
def test_a_wish_that_cannot_be(painter, tmp_path, wish, why): refused(ThauImageGenerator(painter, tmp_path / 'out'), 'BadInput', why, **wish)


def test_memory_is_asked_for_before_anything_is_loaded(painter, tmp_path):
    gen = ThauImageGenerator(painter, tmp_path / 'out', memory_mb=520)
    refused(gen, 'TooLittleMemory', 'there are 520', width=1024, height=1024)
    assert gen.pipe is None


def test_folders_that_are_none(painter, tmp_path):
    out = tmp_path / 'out'
    (empty := tmp_path / 'empty').mkdir()
    (a_file := tmp_path / 'file').write_text('x')
    for folder, why in ((tmp_path / 'nowhere', 'is no folder'), (empty, 'model_index.json'), (a_file, 'is no folder'), ('nobody/nothing-at-all', 'hf download'), ('', 'is no folder')):
        refused(ThauImageGenerator(folder, out), 'BadInput', why)


def changed(folder, name, content):
    "`folder` with a file of other content, or without it."
    if content is None: (folder / name).unlink()
    else: (folder / name).parent.mkdir(exist_ok=True); (folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


WEIGHTS = 'transformer/diffusion_pytorch_model.safetensors'

@pytest.mark.parametrize('name, content, kind', [
    (WEIGHTS, b'', 'FormatError'), (WEIGHTS, b'\xff' * 5000, 'FormatError'), (WEIGHTS, None, 'FormatError'), ('transformer/config.json', b'{', 'FormatError'), ('model_index.json', b'[]', 'FormatError'),
    ('model_index.json', dict(_class_name='ThauPainterPipeline'), 'FormatError'), ('model_index.json', dict(_class_name='NoSuchPipeline'), 'FormatError'), ('evil.py', b'raise SystemExit(9)', 'UnsafeModel'),
    ('model_index.json', dict(_class_name=['pipeline', 'Evil']), 'UnsafeModel'), ('model_index.json', dict(_class_name='ThauPainterPipeline', text_encoder=['subprocess', 'Popen']), 'UnsafeModel'),
    ('text_encoder/config.json', dict(auto_map=dict(AutoModel='evil.Evil')), 'UnsafeModel')])
def test_models_that_are_broken_or_unsafe(copy, tmp_path, name, content, kind): refused(ThauImageGenerator(changed(copy, name, content), tmp_path / 'out'), kind, '')


def test_pickles_are_never_opened(copy, tmp_path):
    (copy / WEIGHTS).rename(copy / 'transformer/diffusion_pytorch_model.bin')
    refused(ThauImageGenerator(copy, tmp_path / 'out'), 'UnsafeModel', 'pickle')


def test_truncated_weights_are_named(copy, tmp_path):
    (copy / WEIGHTS).write_bytes((copy / WEIGHTS).read_bytes()[:100_000])
    refused(ThauImageGenerator(copy, tmp_path / 'out'), 'FormatError', 'safetensors')


def test_no_black_picture_and_none_of_no_numbers(painter, tmp_path):
    gen = ThauImageGenerator(painter, tmp_path / 'out')
    assert gen.generate_image('una casa', **SMALL)['success']
    for value, why in ((-9., 'black'), (float('nan'), 'numbers that are none')):
        gen.pipe.transformer.proj_out.bias.data.fill_(value)
        refused(gen, 'EmptyPicture', why)


def test_a_full_disk(painter, tmp_path, monkeypatch):
    def full(*_): raise OSError(28, 'No space left on device')
    def full_at(path): raise DiskError(path, OSError(28, 'No space left on device'))
    gen = ThauImageGenerator(painter, tmp_path / 'out')
    assert gen.generate_image('una casa', **SMALL)['success']
    with monkeypatch.context() as m: m.setattr(os, 'fsync', full); refused(gen, 'DiskError', 'free some space')
    with monkeypatch.context() as m: m.setattr('thau.image.pictures.write_json', lambda path, obj: full_at(path)); refused(gen, 'DiskError', 'free some space') # Between the picture and what is said of it
    (tmp_path / 'file').write_text('')
    refused(ThauImageGenerator(painter, tmp_path / 'file'), 'DiskError', 'cannot write')


def test_interrupted(painter, tmp_path):
    def stop(*_): raise KeyboardInterrupt
    gen = ThauImageGenerator(painter, tmp_path / 'out')
    refused(gen, 'Interrupted', 'after 1 of 2', on_step=lambda i, n, seen: False)
    refused(gen, 'Interrupted', 'interrupted', on_step=stop)
    assert gen.generate_image('una casa', **SMALL)['success'] # And goes on


DRAWS = '''import sys, time
from thau.image.generator import ThauImageGenerator
gen = ThauImageGenerator(sys.argv[1], sys.argv[2])
print(gen.generate_image('una casa', num_inference_steps=int(sys.argv[3]), width=64, height=64, seed=3, on_step=lambda i, n, seen: print(i, flush=True) or time.sleep(.01)).get('error_type'), flush=True)'''

def drawing(painter, out, steps): return subprocess.Popen([sys.executable, '-c', DRAWS, painter, out, str(steps)], stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == 'nt', reason='no such signals there')
def test_killed_or_interrupted_from_outside_leaves_nothing(painter, tmp_path):
    for sign, said in ((signal.SIGINT, 'Interrupted'), (signal.SIGKILL, None)):
        run = drawing(painter, tmp_path / 'out', 500)
        run.stdout.readline()
        run.send_signal(sign)
        lines = run.communicate(timeout=60)[0].splitlines()
        assert said is None or lines[-1] == said
        assert not list((tmp_path / 'out').rglob('*'))


def test_the_same_seed_in_another_process(painter, tmp_path):
    assert drawing(painter, tmp_path / 'a', 3).communicate(timeout=120)[0].splitlines()[-1] == 'None'
    ThauImageGenerator(painter, tmp_path / 'b').generate_image('una casa', num_inference_steps=3, width=64, height=64, seed=3)
    (a,), (b,) = ([*(tmp_path / out).glob('*.png')] for out in 'ab')
    assert a.read_bytes() == b.read_bytes() and read_about(a)['seed'] == '3' and read_about(a)['num_inference_steps'] == '3'


def test_a_batch_is_what_each_would_be(painter, tmp_path):
    gen = ThauImageGenerator(painter, tmp_path / 'out')
    many = gen.generate_batch(['una casa', None, 'a dog'], seed=4, **{k: v for k, v in SMALL.items() if k != 'seed'})
    assert [m['success'] for m in many] == [True, False, True] and [m['metadata']['seed'] for m in many if m['success']] == [4, 6]
    assert gen.generate_batch([]) == []
    assert {m['error_type'] for m in gen.generate_batch(['a', 'b'], width=100)} == {'BadInput'}
    assert {m['error_type'] for m in gen.generate_batch(['a'], no_such_option=1)} == {'BadInput'}


def test_names_and_defaults_that_were_promised():
    made = inspect.signature(ThauImageGenerator.__init__).parameters
    assert [*made][1:4] == ['model_id', 'output_dir', 'use_half_precision'] and str(made['output_dir'].default) == 'data/generated_images'
    asked = {k: p.default for k, p in inspect.signature(ThauImageGenerator.generate_image).parameters.items()}
    assert asked.items() >= dict(negative_prompt='blurry, bad quality, distorted', num_inference_steps=30, guidance_scale=7.5, width=512, height=512, seed=None, save_image=True).items()


def test_every_size_of_the_first_thau(painter, tmp_path):
    gen = ThauImageGenerator(painter, tmp_path / 'out')
    for w, h in ((256, 256), (768, 512), (1024, 1024), (32, 1024)):
        answer = gen.generate_image('un robot', num_inference_steps=1, width=w, height=h, seed=1)
        with Image.open(answer['path']) as im: im.load()
        assert im.size == answer['image'].size == (w, h) and answer['metadata']['native_size'] == [64, 64]


def test_lessons_never_show_what_the_exam_asks():
    seen = [scenes.scene(f'lesson {i}') for i in range(1500)]
    assert not any(map(scenes.unseen, seen))
    exams = [scenes.scene(f'exam combinations {i}', True) for i in range(300)]
    assert all(map(scenes.unseen, exams)) and not {(s.groups, s.background, s.place, s.relation) for s in exams} & {(s.groups, s.background, s.place, s.relation) for s in seen}
    asked = {captions.caption(s, ('es', 'en')[i % 2], f'exam {i}', exam=True) for i, s in enumerate(exams)}
    assert not asked & {lesson(i)[1] for i in range(1500)}
    for i, lang in itertools.product(range(0, 1400, 50), ('es', 'en')): assert not {*emoji.wordings(i, lang)} & {*emoji.wordings(i, lang, True)}


def test_the_checker_is_strict():
    wrong = 0
    for i in range(40):
        a, b = scenes.scene(f'strict {i}'), scenes.scene(f'other {i}')
        assert check(scenes.draw(a), a)['all']
        wrong += not check(scenes.draw(b), a)['all']
    assert wrong >= 39
    assert not check(np.zeros((64, 64, 3), np.uint8), scenes.scene(1))['all']


def test_names_have_a_source_and_a_licence():
    about = json.loads((data_dir() / 'image' / 'manifest.json').read_text('utf-8'))
    assert about['sha256'] == sha256(data_dir() / 'image' / 'emoji.tsv') and about['emoji'] == len(emoji.emoji()) > 1400
    licence = (data_dir() / 'image' / 'LICENSE').read_text('utf-8')
    assert all(name in licence for name in ('OpenMoji', 'CC BY-SA 4.0', 'UNICODE LICENSE V3', 'MIT License', 'New BSD License'))


LEARNS = '''import sys
from pathlib import Path
import torch; torch.set_num_threads(1)
from thau.image.teach import Lessons
from thau.image.train import train
train(Path(sys.argv[1]), Lessons(steps=int(sys.argv[2]), batch=2, scene_share=1), go_on=True, every=1.)'''

def survive(folder, kills, steps, longest):
    "A run left alone and one killed up to `kills` times, each within `longest` seconds of its first step; how often, and the painters' hashes."
    dice, killed = random.Random(0), 0
    start = lambda name: subprocess.Popen([sys.executable, '-c', LEARNS, folder / name, str(steps)])
    checkpoints = lambda: {p.name for p in (folder / 'killed').glob('checkpoints/step-????????')}
    assert start('alone').wait() == 0
    while killed < kills:
        run, had = start('killed'), checkpoints()
        while run.poll() is None and checkpoints() <= had: time.sleep(.02)
        time.sleep(dice.uniform(0, longest))
        if run.poll() is None: run.kill(); run.wait(); killed += 1
        elif killed: break # It got to its end between two kills
        else: shutil.rmtree(folder / 'killed'); longest /= 2 # Before it could be killed: begin again, and be quicker
    assert start('killed').wait() == 0
    assert not list((folder / 'killed').rglob('*.tmp-*')), 'something half-written is left'
    return killed, *([sha256(p) for p in sorted((folder / name / 'painter').rglob('*.safetensors'))] for name in ('alone', 'killed'))


def test_killed_and_resumed_is_the_same_painter(tmp_path):
    kills, alone, killed = survive(tmp_path, kills=1, steps=5, longest=.6)
    assert kills and len(alone) == 3 and alone == killed


@pytest.fixture(scope='module')
def drawn():
    "What the shipped painter gets right, row by row: the upper end of each interval."
    from thau.image.measure import emoji_rows, scene_rows
    from thau.image.pipelines import choose_settings, find_pipeline, load_pipeline
    if not (data_dir() / 'models' / 'painter').is_dir(): pytest.skip('no painter has been taught yet')
    pipe = load_pipeline(find_pipeline(), choose_settings(find_pipeline(), 64, 64, 16))
    return {r['what']: r['interval'][1] for r in scene_rows(pipe, 32, 10) + emoji_rows(pipe, 32, 10)}

MET = {'scenes, unseen captions: colour': .95, 'scenes, unseen captions: count': .80, 'scenes, unseen captions: position': .80}
STANDING = {'scenes, unseen captions: shape': .55, 'scenes, unseen combinations: all': .55, 'emoji, es name, top 5': .45, 'emoji, en name, top 5': .45, 'emoji, paraphrase, top 5': .4} # Of a short training
WANTED = {'scenes, unseen captions: shape': .90, 'scenes, unseen combinations: all': .7, 'emoji, es name, top 5': .85, 'emoji, en name, top 5': .85, 'emoji, paraphrase, top 5': .5}

def test_the_shipped_painter_draws_what_it_is_asked_for(drawn):
    from thau.image.pipelines import find_pipeline
    assert sum(p.stat().st_size for p in find_pipeline().rglob('*') if p.is_file()) <= 15e6
    for what, least in (MET | STANDING).items(): assert drawn[what] >= least, drawn


@pytest.mark.xfail(strict=True, reason='outlines and emoji want a longer training: python -m thau.image.measure')
def test_the_shipped_painter_draws_as_well_as_it_should(drawn):
    for what, least in WANTED.items(): assert drawn[what] >= least, drawn


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as tmp:
        kills, alone, killed = survive(Path(tmp), int(sys.argv[1]), steps=60, longest=4)
        print(kills, 'kills\nalone ', *alone, '\nkilled', *killed)
        sys.exit(alone != killed)
