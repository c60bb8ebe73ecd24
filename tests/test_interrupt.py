"""Interrupted from a notebook at any moment of training: the kernel lives, the checkpoint is whole, and there is a History.

    python tests/test_interrupt.py 50      as many interrupts as you like, with what was there after each"""
import random, sys, tempfile, time
from pathlib import Path

from jupyter_client.manager import start_new_kernel
from test_kill import corpus

from thau.growth.checkpoint import load_checkpoint, newest
from thau.growth.plan import load_plan

class Kernel:
    "A notebook's kernel, without the notebook."
    def __init__(self, folder): self.manager, self.client = start_new_kernel(cwd=str(folder))

    def begin(self, code): return self.client.execute(code)

    def end(self, asked, seconds=600): # Status and what was printed
        said = []
        while True:
            m = self.client.get_iopub_msg(timeout=seconds)
            if m['parent_header'].get('msg_id') != asked: continue
            if m['msg_type'] == 'stream': said.append(m['content']['text'])
            if m['msg_type'] == 'status' and m['content']['execution_state'] == 'idle': break
        while (reply := self.client.get_shell_msg(timeout=seconds))['parent_header'].get('msg_id') != asked: pass
        return reply['content']['status'], ''.join(said)

    def run(self, code): return self.end(self.begin(code))

    def until(self, path, seconds=600): # Wait for a file of the run
        ends = time.monotonic() + seconds
        while not path.exists() and time.monotonic() < ends: time.sleep(0.02)

    def close(self): self.client.stop_channels(); self.manager.shutdown_kernel(now=True)

GROW = "told = []; history = grow('run', to=1, steps={steps}, corpus=['{text}'], batch=2, resume=True, on_event=lambda kind, record: (told.append(kind), kind == 'plan' and open('training', 'w').close()))"

def interrupts(folder:Path, n:int, longest:float, compiled:bool, steps:int=5000, say=lambda text: None):
    "Interrupt a run `n` times, each time within `longest` seconds of its first step."
    kernel, dice, text, at = Kernel(folder), random.Random(0), corpus(folder), []
    try:
        assert kernel.run(f'import os; os.environ["TORCHDYNAMO_DISABLE"] = "{int(not compiled)}"; from thau.growth.train import grow') == ('ok', '')
        for i in range(n):
            (folder/'training').unlink(missing_ok=True)
            asked = kernel.begin(GROW.format(steps=steps, text=text))
            kernel.until(folder/'training')
            time.sleep(dice.uniform(0, longest))
            kernel.manager.interrupt_kernel()
            status, said = kernel.end(asked)
            assert status == 'ok', said
            status, said = kernel.run('print(type(history).__name__, history.interrupted, 6 * 7)')
            assert (status, said.split()) == ('ok', ['History', 'True', '42'])
            learner, standing = load_checkpoint(newest(folder/'run', print), load_plan(folder/'run'))
            at.append(standing.step)
            say(f'interrupt {i + 1}: {said.strip()}, checkpoint of step {standing.step} is whole')
    finally: kernel.close()
    return at

def test_interrupts_lose_nothing(tmp_path):
    at = interrupts(tmp_path, 3, longest=2, compiled=False)
    assert at == sorted(at) and len(at) == 3

if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as tmp: interrupts(Path(tmp), int(sys.argv[1]), longest=3, compiled=True, say=lambda text: print(text, flush=True))
