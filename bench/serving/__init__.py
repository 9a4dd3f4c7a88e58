"""The model server beside the raw limit of onnxruntime and beside its peers: `make bench-serving`.

environments.py  each peer in a virtual environment of its own, outside the tree
peers/           the smallest sensible server of each peer: the same file, the same session
settings processes.py     start, stop, processor time and memory of a whole process tree
raw.py           the limit: tokenise and run in this many threads, nothing else
closed_loop.py   wrk, at a fixed concurrency
open_loop.py     requests at a fixed rate, whatever the answers do
scenarios.py     what only concerns us: switching, overload, repeats, start
"""
