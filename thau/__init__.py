"""Modules:

- `thau.cli.doctor`: What this machine and this installation are
- `thau.cli.growing`: One run from the first word typed to the first words said
- `thau.cli.main`: What `thau` understands, and what it says when something is wrong
- `thau.cli.models`: A name becomes a model, which is measured, heard or enlarged
- `thau.cli.progress`: A run as people watch it: one moving picture on a terminal, plain lines elsewhere, and a log
- `thau.cli.talk`: A conversation in the terminal, as long as it likes, within a context that is not
- `thau.engine.chat`: One format for a conversation, and only we may write its tags
- `thau.engine.files`: Written whole or not at all, and read back with proof
- `thau.engine.ram`: What a process really weighs, and who eats it
- `thau.engine.tokenizer`: Text to numbers and back, for any text there is
- `thau.growth.ages`: How big a model is at 0, 1, 3, 6, 12 and 15 years
- `thau.growth.batches`: Documents in, full rows out, and a cursor that can be put back
- `thau.growth.bench`: How fast we train, next to the loop that everybody writes
- `thau.growth.checkpoint`: Everything that the next step depends on, on disk, all or nothing
- `thau.growth.corpus`: What the model reads, and what it never may
- `thau.growth.dialogues`: Conversations with THAU, and questions whose answers follow from what was said
- `thau.growth.directory`: One form of a model, which every other program reads
- `thau.growth.expand`: Grow a network without changing a single answer
- `thau.growth.machine`: What this computer is good at, asked once and written down
- `thau.growth.manager`: A model of one's own to raise by hand, and the statistics of all that were raised
- `thau.growth.measure`: Bits per byte, the one number that models with different words share
- `thau.growth.optimizer`: Muon for the matrices, AdamW for the rest, and one clock for both
- `thau.growth.packages`: More to read, for whoever asks for it
- `thau.growth.plan`: Everything a run decides, decided before its first step
- `thau.growth.plots`: Who takes part, what happens, and how each language tells it
- `thau.growth.report`: What became of a run: a table, a picture, a few sentences
- `thau.growth.sample`: Let the network speak, token by token
- `thau.growth.stories`: One plot, one chain of events, told in Spanish and in English
- `thau.growth.train`: Walk the ladder: learn, grow, learn on, and never lose a step
- `thau.growth.transformer`: A plain Llama in torch, written to be read
- `thau.growth.words`: Articles, agreement and verb forms in Spanish and English
- `thau.lab.views`: RAM now, and a model that grows while you watch"""

__version__ = '0.1.0'

import os

# Torch's threads wait for each other in a busy loop; on a processor that others use too, the default of 300,000 turns makes
# a step ten times slower. It must be set before torch is imported.
os.environ.setdefault('GOMP_SPINCOUNT', '3000')
