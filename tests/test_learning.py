"""Learning by itself: what is refused stays refused, and the model in use stays as it was."""
import json, signal, subprocess, sys, time

import pytest

from thau.engine.files import BadInput, check, data_dir, shipped_model
from thau.engine.shape import Shape
from thau.engine.tokenizer import ThauTokenizer
from thau.growth.directory import Model, save_model
from thau.growth.transformer import Transformer
from thau.learning.gate import fingerprint, rounds_of, undo
from thau.learning.pupil import Pupil
from thau.learning.questions import Fact
from thau.learning.rounds import School, learn
from thau.learning.screen import complaints, screen, screen_order
from thau.learning.sources import Refused, from_text
from thau.learning.worlds import source_text, world

FACT = Fact('¿Cuál es la capital de Zandoria?', 'Melquín', 'La capital de Zandoria es Melquín.', 'es')
PAGE = 'La capital de Zandoria es Melquín. The river flows to the sea of Tol.'

def small(folder, seed=0):
    return save_model(Model(Transformer(Shape(64, 2, 2, 1, 96, context=512), seed), ThauTokenizer.from_ladder(), dict(ladder='own', age=0)), folder)

def test_twenty_kinds_of_poison_are_refused():
    rows = [json.loads(line) for line in (data_dir()/'learning'/'poisoned.jsonl').read_text('utf-8').splitlines()]
    pupil, passed = Pupil.of(shipped_model()), []
    for row in rows:
        try: screen(from_text(row['text'])); screen_order(pupil, from_text(row['text']))
        except (Refused, BadInput): continue
        passed.append(row['kind'])
    assert len(rows) == 20 and len(passed) <= 1, passed

def test_good_sources_pass():
    for seed in range(5):
        text = from_text(source_text(world(seed, 60), seed))
        assert complaints(text) == []
        screen_order(Pupil.of(shipped_model()), text)

def test_a_round_and_its_undo_are_byte_identical(tmp_path):
    home = small(tmp_path/'m')
    was = fingerprint(home)
    assert learn(home, from_text(PAGE), home, facts=[FACT], rate=0.01, rounds=30, parts=('',)).accepted
    assert fingerprint(home) != was and len(rounds_of(home)) == 1
    undo(home); check(home)
    assert fingerprint(home) == was

def test_a_refused_round_leaves_everything(tmp_path):
    home = small(tmp_path/'m')
    was = fingerprint(home)
    report = learn(home, from_text(PAGE), home, School(held_out=('El gato duerme en la casa. '*8,), exams=dict(kept=lambda pupil, papers=iter([[True]*40] + [[False]*40]*99): next(papers))), facts=[FACT], rate=0.01, rounds=10, parts=('',))
    assert not report.accepted and report.why and fingerprint(home) == was

def test_a_killed_round_leaves_everything(tmp_path):
    home = small(tmp_path/'m')
    was = fingerprint(home)
    code = f"from thau.learning.rounds import learn; from thau.learning.questions import Fact; from thau.learning.sources import from_text; print('begun', flush=True); learn({str(home)!r}, from_text({PAGE!r}), {str(home)!r}, facts=[Fact({FACT.question!r}, 'Melquín', {FACT.sentence!r}, 'es')], rounds=5000)"
    run = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)
    run.stdout.readline(); time.sleep(3); run.send_signal(signal.SIGKILL); run.wait()
    check(home)
    assert fingerprint(home) == was

@pytest.mark.parametrize('facts, why', [([FACT, Fact(FACT.question, 'Toral', '', 'es')], 'contradicts'), ([], 'nothing to ask')])
def test_bad_facts_are_refused(tmp_path, facts, why):
    home = small(tmp_path/'m')
    with pytest.raises(Refused, match=why): learn(home, from_text(PAGE), tmp_path/'out', facts=facts)
    assert not (tmp_path/'out').exists() and Refused.exit_code == 3
