"What live curves cost a kernel: `python data/lab/live.py` writes live.json beside it. A real kernel, a client that reads every message, ten seconds."
import json, sys
from pathlib import Path

from jupyter_client.manager import start_new_kernel

PROGRAM = '''
import json, math, time
from thau.lab.live import Live
live, updates = Live('four curves', 'step'), []
for i in range(2000): live.add(i, **{n: math.sin(i/90 + k) for k, n in enumerate('abcd')})
live.observe(lambda change: updates.append(1), 'curves')
wall, cpu, i = time.monotonic(), time.process_time(), 2000
while time.monotonic() - wall < 10:
    time.sleep(.02); i += 1
    live.add(i, **{n: math.sin(i/90 + k) for k, n in enumerate('abcd')})
wall, cpu = time.monotonic() - wall, time.process_time() - cpu
print(json.dumps(dict(curves=len(live.curves), points=len(live.curves['a'][0]), updates_per_second=round(len(updates)/wall, 1), share_of_core=round(cpu/wall, 4))))
'''

def main():
    manager, client = start_new_kernel(kernel_name='python3')
    said = []
    def hear(message):
        if message['msg_type'] == 'stream' and message['content']['name'] == 'stdout': said.append(message['content']['text'])
        if message['msg_type'] == 'error': said.append('\n'.join(message['content']['traceback']))
    try: client.execute_interactive(PROGRAM, output_hook=hear, timeout=120)
    finally: client.stop_channels(); manager.shutdown_kernel(now=True)
    found = json.loads(''.join(said)) | dict(command='python data/lab/live.py', python=sys.version.split()[0])
    Path(__file__).with_suffix('.json').write_text(json.dumps(found, indent=1) + '\n', encoding='utf-8')
    print(found)

if __name__ == '__main__': main()
