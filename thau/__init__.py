"""Modules:

- `thau.cli.doctor`: What this machine and this installation are
- `thau.cli.growing`: One run from the first word typed to the first words said
- `thau.cli.main`: What `thau` understands, and what it says when something is wrong
- `thau.cli.models`: A model directory becomes a network, which is heard or enlarged
- `thau.cli.packs`: From a model to one file that runs, and from a GGUF file to a model
- `thau.cli.progress`: A run as people watch it: one moving picture on a terminal, plain lines elsewhere, and a log
- `thau.cli.speak`: A name becomes a model that runs, without the weight of what trains it
- `thau.cli.talk`: A conversation in the terminal, as long as it likes, within a context that is not
- `thau.engine.adead`: The seed's whole AI in one object, and this time it answers
- `thau.engine.adeadbib`: `ADeadBIB`: functions in the library, and C from Python
- `thau.engine.attend`: The KV cache is a pair of weight matrices that grow
- `thau.engine.attention`: Each word asks the words before it, and everything is there to see
- `thau.engine.batch`: Each weight is fetched once for all
- `thau.engine.bench`: What the engine reaches, beside llama.cpp on the same weights
- `thau.engine.bpe`: A tokenizer that is a block of bytes in a file, read where it lies
- `thau.engine.bpe_kernel`: Join the two neighbours that belong together most, again and again, however long the word
- `thau.engine.bpe_tables`: Any byte-level `tokenizer.json` becomes one block of numbers, or is refused
- `thau.engine.cache`: The pack of a model, made once
- `thau.engine.calibrate`: Rounding errors that later weights make good
- `thau.engine.chat`: One format for a conversation, and only we may write its tags
- `thau.engine.compile`: From numba functions to a library that needs no numba
- `thau.engine.contestant`: Our side of a comparison, in a process that weighs what a user's does
- `thau.engine.embeddings`: One vector a token, in half precision, in bytes, or left on the disk
- `thau.engine.estimate`: What a model will weigh, known before it is loaded
- `thau.engine.files`: Written whole or not at all, and read back with proof
- `thau.engine.forward`: From token ids to logits in one call, on any number of threads
- `thau.engine.generate`: A prompt goes in, text comes out as it is made
- `thau.engine.gguf`: Reading a file that wants to be trusted, without trusting it
- `thau.engine.gguf_model`: What a GGUF file says of a Llama, in the words that the rest of us use
- `thau.engine.imports`: A GGUF file becomes a model directory, which everything here and elsewhere can read
- `thau.engine.judge`: Bits per byte, of what really runs
- `thau.engine.ledger`: Claimed, estimated, measured: what each way to run a model weighs
- `thau.engine.light`: Tokenizer, table, attention: put together by hand
- `thau.engine.micro`: A whole language model in a process of fourteen megabytes
- `thau.engine.native`: The kernels in one small file, and a process without numba
- `thau.engine.norms`: Norm, rotation, gate, rounding: a hundredth of the work, once a vector
- `thau.engine.numbers`: The smallest kernels there can be
- `thau.engine.pack`: One file that a process maps and runs
- `thau.engine.packing`: From a model directory or a GGUF file to one file that runs
- `thau.engine.peers`: llama.cpp on the same weights, measured fairly
- `thau.engine.pieces`: Words, numbers and marks, each with the space before it
- `thau.engine.products`: A matrix times a few vectors: nine tenths of all the time
- `thau.engine.quantize`: Weights in 8 and 4 bits, and what it costs
- `thau.engine.ram`: What a process really weighs, and who eats it
- `thau.engine.rows`: A table of vectors in half precision or in bytes, in memory or in a file
- `thau.engine.run`: Weights, a cache, and one call a token
- `thau.engine.sampling`: From numbers to one word, the same for the same seed
- `thau.engine.shape`: A handful of integers that say everything about a Llama
- `thau.engine.simd`: What numba lacks for kernels that know no array
- `thau.engine.tokenizer`: Text to numbers and back, for any text there is
- `thau.engine.unpack`: What the kernels read, as a matrix that NumPy reads
- `thau.engine.vectors`: GloVe, fastText and word2vec, from a file larger than the memory
- `thau.engine.words`: The oldest tokenizer, and what can be said about a text with it
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
