"""The snippets that the second seed prints, and those of the first that are not in test_seed_engine.py: offline, with nothing but the import line changed, by the table in docs/seeds.md.

Snippets that import the same heavy things run one after another in one process."""
import json, os, re, shutil, subprocess, sys, textwrap
from pathlib import Path

import pytest
from test_seed_engine import MOVED as ENGINE

from thau.engine.files import shipped_model

ROOT = Path(__file__).parents[1]
MOVED = dict(re.findall(r'^\| `(from \S+ import \w+)` \| `(from thau\S+ import \w+)` \|$', (ROOT / 'docs' / 'seeds.md').read_text('utf-8'), re.M))
BREAK = '\n--- next ---\n'


def moved(snippet):
    "A snippet whose imports are where things are now."
    code = textwrap.dedent(snippet).strip()
    for old, new in MOVED.items(): code = code.replace(old, new)
    return code


def said(*snippets, before='', cwd=None, **env):
    "What each snippet prints, in a process that first does `before`."
    code = textwrap.dedent(before) + '\nfor snippet in %r:\n exec(snippet, {"__name__": "snippet"})\n print(%r, end="")' % ([moved(s) for s in snippets], BREAK)
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=cwd, timeout=900, env=os.environ | dict(OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT)) | env)
    assert done.returncode == 0, done.stderr[-3000:]
    return [text.strip() for text in done.stdout.split(BREAK)[:-1]]


def test_the_page_knows_every_name():
    assert ENGINE.items() <= MOVED.items() and len(MOVED) == len(ENGINE) + 6
    for new in MOVED.values():
        _, module, _, name = new.split()
        assert re.search(rf'^(class|def) {name}\b', (ROOT / (module.replace('.', '/') + '.py')).read_text('utf-8'), re.M), new


# Learning, memory, conversation: none of them needs torch

T12 = '''
    from thau_trainer.self_questioning import SelfQuestioningSystem
    system = SelfQuestioningSystem()
    questions = system.generate_questions(topic="programación", num_questions=10)
    import json; print(json.dumps(questions))'''
T13 = '''
    from thau_trainer.self_learning import SelfLearningManager
    manager = SelfLearningManager()
    conversation = [{"role": "user", "content": "¿Quién domó al dragón de Murn?"}, {"role": "assistant", "content": "No lo sé."}]
    gaps = manager.detect_knowledge_gaps(conversation_history=conversation)
    import json; print(json.dumps(gaps))'''
T14 = '''
    from memory import MemoryManager
    memory = MemoryManager()
    memory.update_context("user", "Hola THAU")
    memory.remember("Python es un lenguaje de programación", importance=8)
    memories = memory.recall("¿qué hablamos ayer?")
    import json; print(json.dumps([memories, memory.recall("¿Qué es Python?")]))'''
T15 = '''
    from thau_chat import ThauChat
    chat = ThauChat(model="thau-2b-multimodal")
    response = chat.send_message("Genera una imagen de un perro astronauta")
    import json; print(json.dumps(dict(response.to_dict(), said=response)))'''
YESTERDAY = '''
    from datetime import datetime, timedelta, timezone
    from thau.memory.manager import MemoryManager
    with MemoryManager(clock=lambda: datetime.now(timezone.utc) - timedelta(days=1)) as memory: memory.update_context("user", "He plantado tomates en el balcón.")'''

@pytest.fixture(scope='module')
def talks(tmp_path_factory):
    where = tmp_path_factory.mktemp('talks')
    return [json.loads(text) for text in said(T12, T13, T14, T15, before=YESTERDAY, cwd=where, XDG_DATA_HOME=str(where), TZ='UTC')]


def test_t12_questions(talks):
    asked = talks[0] # An infant finds fewer than ten
    assert 5 <= len(asked) <= 10 and len({*asked}) == len(asked) and all('program' in q.lower() and q.endswith('?') for q in asked)


def test_t13_gaps(talks):
    assert [(g['topic'], g['question']) for g in talks[1]] == [('Murn', '¿Quién domó al dragón de Murn?')] and 0 < talks[1][0]['severity'] <= 1


def test_t14_memory(talks):
    yesterday, python = talks[2]
    assert yesterday.keys() == {'short_term', 'long_term', 'episodic'} and yesterday['short_term'][-1]['content'] == 'Hola THAU'
    assert [m['content'] for m in yesterday['episodic']] == ['He plantado tomates en el balcón.']
    assert python['long_term'][0]['content'] == 'Python es un lenguaje de programación' and python['long_term'][0]['metadata']['importance'] == 8


def test_t15_chat(talks):
    reply = talks[3]
    assert reply['said'] == reply['text'] != '' and all(c['name'] and 'result' in c for c in reply['tool_calls'])
    assert all(Path(path).is_file() for path in reply['images']) # Whether it draws is for the model to decide; what it shows is there


# Pictures, with a painter that learned nothing: it draws grey, in a moment

PRINT = '''
    import json; print(json.dumps([dict(success=r["success"], path=r["path"], metadata=r["metadata"], error=r.get("error")) for r in (result if isinstance(result, list) else [result])]))'''
T2 = '''
    from capabilities.vision.image_generator import ThauImageGenerator
    gen = ThauImageGenerator()
    result = gen.generate_image("un robot aprendiendo, digital art")''' + PRINT
T3 = '''
    from capabilities.vision.image_generator import ThauImageGenerator
    generator = ThauImageGenerator()
    result = generator.generate_image(prompt="un robot aprendiendo", num_inference_steps=30, width=512, height=512)''' + PRINT
T4 = '''
    from capabilities.vision.image_generator import ThauImageGenerator
    generator = ThauImageGenerator()
    result = [generator.generate_image(prompt="un gato", negative_prompt="borroso", num_inference_steps=50, guidance_scale=8.0, width=768, height=512, seed=42) for _ in range(2)]''' + PRINT
T5 = '''
    from capabilities.vision.image_generator import ThauImageGenerator
    generator = ThauImageGenerator()
    result = generator.generate_batch(["un robot", "un paisaje", "un gato"])''' + PRINT
T8 = '''
    from capabilities.vision.image_generator import ThauImageGenerator
    generator = ThauImageGenerator()
    result = generator.generate_image("un robot", width=384, height=384, num_inference_steps=20)''' + PRINT
T7 = '''
    from thau.cli.image import demo
    demo(1)'''
T11 = 'import torch, diffusers, transformers, PIL; print("✅ OK")'
B4 = '''
    from transformers import AutoModel, AutoModelForCausalLM
    for load in (lambda: AutoModel.from_pretrained("modelo", load_in_8bit=True), lambda: AutoModelForCausalLM.from_pretrained("modelo", load_in_4bit=True, device_map="auto"), lambda: AutoModelForCausalLM.from_pretrained("modelo")):
        try: print(type(load()).__name__)
        except (TypeError, ValueError, ImportError): print("refused")'''
T9 = '''
    import glob
    checkpoints = sorted(glob.glob("runs/*/"))
    print("Checkpoints:", len(checkpoints))
    for path in checkpoints: print(path)'''
T10 = '''
    from thau_trainer.own_model_manager import ThauOwnModelManager
    print(ThauOwnModelManager().get_training_stats())'''
PAINTER = '''
    import os
    from pathlib import Path
    import thau.image.pipelines as pipelines
    from thau.image.painter import new_painter, new_pipeline
    pipelines.data_dir = lambda: Path("there" if Path("drawn").exists() else "nowhere")
    new_pipeline(new_painter(layers=1)).save_pretrained("there/models/painter")'''
RAISE = '''
    from thau.growth.manager import ThauOwnModelManager
    manager = ThauOwnModelManager()
    manager.initialize_model(cognitive_age=0)
    manager.train_step(["La gata duerme al sol."])
    print(manager.save_checkpoint("mine"))'''

@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    where = tmp_path_factory.mktemp('pictures')
    shutil.copytree(shipped_model('micro'), where / 'modelo')
    said(RAISE, cwd=where)
    found = said(T2, 'open("drawn", "w").close()', T2, T3, T4, T5, T8, T7, T11, B4, T9, T10, before=PAINTER, cwd=where)
    return where, dict(zip(('none', '', 'T2', 'T3', 'T4', 'T5', 'T8', 'T7', 'T11', 'B4', 'T9', 'T10'), found, strict=True))


def test_no_painter_is_explained(pictures):
    answer, = json.loads(pictures[1]['none'])
    assert (answer['success'], answer['path'], answer['metadata']) == (False, None, None) and 'teach a painter: thau image train' in answer['error']


@pytest.mark.parametrize('name, count, size, steps', [('T2', 1, (512, 512), 30), ('T3', 1, (512, 512), 30), ('T4', 2, (768, 512), 50), ('T5', 3, (512, 512), 30), ('T8', 1, (384, 384), 20)])
def test_pictures(pictures, name, count, size, steps):
    from PIL import Image
    where, printed = pictures
    made = json.loads(printed[name])
    assert len(made) == count and all(m['success'] and m['error'] is None for m in made)
    for m in made:
        with Image.open(where / m['path']) as picture: assert picture.size == size
        assert m['metadata']['num_inference_steps'] == steps and (where / m['path']).with_suffix('.json').is_file()
    seeds = [m['metadata']['seed'] for m in made]
    if name == 'T4': assert seeds == [42, 42] and (where / made[0]['path']).read_bytes() == (where / made[1]['path']).read_bytes()
    if name == 'T5': assert seeds == [seeds[0], seeds[0] + 1, seeds[0] + 2]


def test_t7_demo(pictures): assert (pictures[0] / pictures[1]['T7']).suffix == '.png' and (pictures[0] / pictures[1]['T7']).is_file()


def test_t9_t10_checkpoints_and_statistics(pictures):
    assert pictures[1]['T9'].splitlines() == ['Checkpoints: 1', os.path.join('runs', 'mine', '')]
    assert "'mine': {'total_steps': 1" in pictures[1]['T10'] # In a process that trained nothing


def test_t11_b4_libraries(pictures):
    assert pictures[1]['T11'] == '✅ OK'
    assert pictures[1]['B4'].splitlines() == ['refused', 'refused', 'LlamaForCausalLM'] # As docs/seeds.md says


# The server

def test_t1_t6_b14_server(tmp_path):
    from test_serve import OneColour, live
    b14 = '''
        import ollama
        response = ollama.chat(model='thau', messages=[{'role': 'user', 'content': 'Hola'}])
        print(response['message']['content'])'''
    with live() as (address, service):
        service.painter = OneColour()
        curl = shutil.which('curl') or pytest.skip('curl is not here')
        assert '/vision/generate' in subprocess.run([curl, '-s', address + '/docs'], capture_output=True, text=True).stdout
        asked = [curl, '-s', '-X', 'POST', address + '/vision/generate', '-H', 'Content-Type: application/json', '-d', '{"prompt": "un robot aprendiendo", "width": 512, "height": 512}']
        answer = json.loads(subprocess.run(asked, capture_output=True, text=True).stdout)
        assert answer['success'] and answer['error'] is None and {'image_path', 'image_url', 'metadata'} < answer.keys()
        assert subprocess.run([curl, '-s', address + answer['image_url']], capture_output=True).stdout[:4] == b'\x89PNG'
        assert said(b14, OLLAMA_HOST=address)[0]
