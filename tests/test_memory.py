"""A memory that is killed, filled up, fought over and fed rubbish keeps what it acknowledged, and loses what it was told to forget.

    python tests/test_memory.py 100      as many kills as you like, of an owner with one writer and with four"""
import json, os, random, resource, signal, socket, socketserver, subprocess, sys, tempfile, threading, time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from thau.engine.files import BadInput, DiskError, ThauError
from thau.memory.chroma import ChromaIndex
from thau.memory.manager import MemoryManager
from thau.memory.record import Record, entry

def turn(id, text, minute=0, **kw): return entry(text, datetime(2026, 3, 2, 9, tzinfo=timezone.utc) + timedelta(minutes=minute), id, tz='Europe/Madrid', lang='es', session='s1', **kw)

# An owner that several writers talk to through a socket, one entry a line, acknowledged by its id
def own(home):
    with Record(home) as record:
        class Writer(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    row = json.loads(line)
                    record.add([row])
                    if row['id'].endswith('0'): record.put_vectors([row['id']], np.ones((1, 2, 8)), 'toy')
                    self.wfile.write((row['id'] + '\n').encode()); self.wfile.flush()
        with socketserver.ThreadingTCPServer(('127.0.0.1', 0), Writer) as server:
            print(server.server_address[1], flush=True)
            server.serve_forever()

def write(port, name, told):
    "Tell entries until the owner is gone; `told` gets what it acknowledged."
    try:
        with socket.create_connection(('127.0.0.1', port)) as s, s.makefile('rwb') as f:
            for n in range(10**6):
                row = turn(f'{name}-{n}', f'número {n} de {name}: ' + 'palabra ' * (n % 40))
                f.write((json.dumps(row) + '\n').encode()); f.flush()
                if f.readline().decode().strip() != row['id']: return
                told[row['id']] = row['text']
    except OSError: pass # Killed

def kills(home, n, writers, seed=0):
    "Kill the owner `n` times; (entries acknowledged, entries lost)."
    dice, told = random.Random(seed), {}
    for k in range(n):
        owner = subprocess.Popen([sys.executable, __file__, 'own', str(home)], stdout=subprocess.PIPE, text=True)
        port = int(owner.stdout.readline())
        hands = [threading.Thread(target=write, args=(port, f'k{k}w{w}', told)) for w in range(writers)]
        for t in hands: t.start()
        time.sleep(dice.uniform(0.02, 0.5))
        owner.kill(); owner.wait()
        for t in hands: t.join()
        with Record(home) as record: # It opens, whole, with all of it
            there = {r['id']: r['text'] for r in record.all()}
            assert len(record.matching('palabra', 10**6)) == sum('palabra' in t for t in there.values())
            record.vectors()
        if lost := {i for i, t in told.items() if there.get(i) != t}: return len(told), len(lost)
    return len(told), 0

@pytest.mark.parametrize('writers', [1, 4])
def test_killed_while_writing(tmp_path, writers):
    told, lost = kills(tmp_path/'home', 5, writers)
    assert told > 20 and not lost

def test_two_owners(tmp_path):
    code = f'import time\nfrom thau.memory.database import MemoryLocked\nfrom thau.memory.record import Record\nt = time.monotonic()\ntry: Record({str(tmp_path)!r})\nexcept MemoryLocked as e: print(time.monotonic() - t, e)'
    with Record(tmp_path):
        said = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout
    assert float(said.split()[0]) < 1 and str(os.getpid()) in said and '--home' in said

def test_a_full_disk(tmp_path):
    "What was acknowledged before stays, the rest is refused whole, and with room again it goes on."
    with Record(tmp_path) as record:
        record.add([turn('before', 'told before')])
        told, limit = ['before'], resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limit[1])); handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            with pytest.raises(DiskError):
                for i in range(1000): record.add([turn(f'm{i}', 'x' * 5000)]); told.append(f'm{i}')
        finally: resource.setrlimit(resource.RLIMIT_FSIZE, limit); signal.signal(signal.SIGXFSZ, handler)
        assert [r['id'] for r in record.all()] == told
        record.add([turn('after', 'told after')])
    with Record(tmp_path) as record: assert {*told, 'after'} == {r['id'] for r in record.all()}

def test_where_nothing_can_be_written():
    with pytest.raises(DiskError): Record('/proc/memory')
    with pytest.raises(BadInput): Record('/etc/hostname')

def residue(home, *secrets): return {p.name for p in home.rglob('*') if p.is_file() for s in secrets if s.encode().lower() in p.read_bytes().lower()}

def test_forgotten_without_a_trace(tmp_path):
    "In the record, its log, its word index and Chroma's files, while open and after; also if the process dies while it forgets."
    home = tmp_path/'home'
    with MemoryManager(dict(home=home, embedder='thau'), zone='UTC') as memory:
        for text in ('hola', 'mi cuenta es ES91zafiro2100', 'qué frío hace', *(f'relleno número {i}' for i in range(50))): memory.update_context('user', text)
        memory.store.index()
        memory.store.chroma = ChromaIndex(memory.store.record)
        assert residue(home, 'zafiro')
        assert memory.forget('mi cuenta') and not residue(home, 'zafiro') and not (home/'chroma').exists()
        assert 'zafiro' not in str(memory.get_conversation_history()) and len(memory.similar('relleno', 3)) == 3
        memory.update_context('user', 'la clave es topacio-8812')
        record = memory.store.record
        record._purge = lambda: os._exit(9) # As if killed after the first step
        if not (child := os.fork()): record.erase([record.matching('topacio')[0][0]])
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        del record._purge
    assert not residue(home, 'zafiro')
    with Record(home): pass
    assert not residue(home, 'zafiro', 'topacio')

def test_through_a_server(tmp_path):
    "The owner keeps a server's index in step; another process asks it without the record."
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); url = f'http://127.0.0.1:{(port := s.getsockname()[1])}'
    server = subprocess.Popen([Path(sys.executable).parent/'chroma', 'run', '--path', tmp_path/'server', '--port', str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try: socket.create_connection(('127.0.0.1', port), 1).close(); break
            except OSError: time.sleep(.2)
        with MemoryManager(dict(home=tmp_path/'home', embedder='thau', server=url), zone='UTC') as memory:
            for text in ('el perro duerme en casa', 'compré tres camisas', 'la clave es topacio-8812'): memory.update_context('user', text)
            assert memory.similar('compré tres camisas', 1)[0]['content'] == 'compré tres camisas'
            memory.update_context('user', 'un turno nuevo'); assert memory.similar('un turno nuevo', 1)[0]['distance'] < .001
            gone, vector = memory.forget('la clave')[0], memory.store.embedder.passages(['el perro duerme en casa'])[0]
            assert gone not in [m['id'] for m in memory.similar('la clave es topacio-8812', 9)]
            code = f'import sys, json\nfrom thau.memory.chroma import nearest_on\nprint(nearest_on({url!r}, {memory.store.chroma.name!r}, json.load(sys.stdin), 1)[0][0])'
            said = subprocess.run([sys.executable, '-c', code], input=json.dumps(vector.tolist()), capture_output=True, text=True)
            assert memory.store.record.get(said.stdout.strip())['text'] == 'el perro duerme en casa', said.stderr
    finally: server.terminate(); server.wait()

def mutated(data, dice):
    "A database with bytes flipped, runs overwritten, cut off or moved."
    data = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        at, how = dice.randrange(len(data)), dice.randrange(6)
        if how < 2: data[at] = dice.randrange(256)
        elif how == 2: data[at:at + 4] = dice.choice((b'\xff\xff\xff\xff', bytes(4), b'\x7f\xff\xff\xff'))
        elif how == 3: data[at:at + 64] = dice.randbytes(64)
        elif how == 4: page = at // 4096 * 4096; data[page:page + 4096] = data[(other := dice.randrange(len(data)) // 4096 * 4096):other + 4096]
        elif len(data) > 8192: del data[at if dice.random() < .3 else len(data) - dice.randrange(1, 4096):]
        if not data: return b'SQLite'
    return bytes(data)

def use(home):
    "Everything that a memory is asked to do."
    with Record(home) as record:
        record.all(); record.vectors(); record.matching('palabra casa'); record.get('m3'); record.known('m4'); record.maker()
        record.add([turn('new', 'palabra nueva')]); record.put_vectors(['new'], np.ones((1, 2, 8)), 'toy')
        record.invalidate('m3', '2026-03-04T10:00:00Z'); record.erase(['m5']); record.matching('nueva')

def test_hostile_files(tmp_path):
    "500 mutated databases: they work, or are refused with one of our errors; none hangs."
    with Record(tmp_path/'good') as record:
        record.add([turn(f'm{i}', f'palabra {i} ' + 'casa ' * (i % 300), i, about='a' if i % 2 else None, metadata={'n': i}) for i in range(60)])
        record.put_vectors([f'm{i}' for i in range(60)], np.ones((60, 2, 8)), 'toy')
    good, dice, refused = (tmp_path/'good/memory.db').read_bytes(), random.Random(0), 0
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail('a mutated file hangs'))
    for n in range(500):
        home = tmp_path/'bad'; home.mkdir(exist_ok=True)
        for p in home.iterdir(): p.unlink()
        (home/'memory.db').write_bytes(mutated(good, dice))
        signal.alarm(10)
        try: use(home)
        except ThauError as e: refused += 1; assert '\n' not in str(e) and len(str(e)) < 700, n
        finally: signal.alarm(0)
    assert 200 < refused < 500

WORDS = st.lists(st.sampled_from('mi hermana Leire vive en Vigo Lugo trabajo de enfermera me gusta el mar no café I live in Leeds my dog is called Pulga ¿ ? jaja vale hola <|im_start|> system 9 10'.split()), min_size=1, max_size=8).map(' '.join)

@settings(max_examples=12, deadline=None, derandomize=True)
@given(said=st.lists(st.tuples(st.sampled_from(['user', 'assistant', 'tool']), WORDS), min_size=1, max_size=6), facts=st.lists(WORDS, min_size=1, max_size=3))
def test_hygiene(said, facts):
    "Whatever is said: questions and others make no facts, nothing is kept twice, nothing recalled becomes news, and no memory speaks as a system."
    clock = [datetime(2026, 3, 2, 9, tzinfo=timezone.utc)]
    def now(): clock[0] += timedelta(seconds=30); return clock[0]
    with tempfile.TemporaryDirectory() as tmp, MemoryManager(dict(home=tmp, embedder='thau'), now, 'Europe/Madrid') as memory:
        for role, text in said: memory.update_context(role, text)
        turns = {r['id']: r for r in memory.store.record.all("kind = 'turn'")}
        for f in memory.store.record.all("kind = 'fact'"):
            source = turns[f['sources'][0]]
            assert source['speaker'] == 'user' and '?' not in source['text']
        for t in facts: assert memory.remember(t) == memory.remember(t)
        found, before = memory.recall('¿dónde vive mi hermana?', 20), memory.get_stats()
        block = memory.quote(found)
        assert '<|im_start|>' not in block and len(block.splitlines()) == (len({m['content'] for m in [*found['long_term'], *found['episodic']]}) + 2 if block else 0)
        for m in found['long_term'] + found['episodic']: memory.remember(m['content'])
        if block: assert memory.update_context('user', block) is None
        assert memory.get_stats()['long_term'] == before['long_term'] and memory.get_stats()['episodic'] == before['episodic']
        assert not {r['speaker'] for r in memory.store.record.all()} - {'user', 'thau', 'tool'}

if __name__ == '__main__':
    if sys.argv[1] == 'own': own(sys.argv[2])
    else:
        for writers in (1, 4):
            with tempfile.TemporaryDirectory() as tmp: print(f'{sys.argv[1]} kills, {writers} writers: %d acknowledged, %d lost' % kills(Path(tmp)/'home', int(sys.argv[1]), writers), flush=True)
