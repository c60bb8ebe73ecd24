"Notebooks and modules are one thing: cleaning and exporting must leave the checkout as it is."
import subprocess, sys
from pathlib import Path

ROOT, BIN = Path(__file__).parents[1], Path(sys.executable).parent

def state()->dict: # Contents of everything that clean and export may touch
    return {p: p.read_bytes() for folder in ('nbs', 'thau') for p in (ROOT/folder).rglob('*') if p.suffix in ('.ipynb', '.py')
            and not {'__pycache__', '.ipynb_checkpoints'} & set(p.parts)}

if __name__ == '__main__':
    before = state()
    for command in ('nbdev-clean', 'nbdev-export'): subprocess.run([BIN/command], cwd=ROOT, check=True)
    after = state()
    moved = sorted(str(p.relative_to(ROOT)) for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    if moved: sys.exit('nbdev-clean and nbdev-export changed ' + ', '.join(moved) + '; run them and commit notebook and module together')
    print(f'{len(after)} notebooks and modules are in step')
