"""The model server: one model type per process, onnxruntime underneath, nothing wasted.

http.py        bytes on a socket <-> Request and Response; limits and slow clients
routes.py      which path does what; plain `/predict`
oip.py         the Open Inference Protocol v2
engine.py      texts -> rows -> work queue -> threads -> probabilities; cache, twins, deadlines
repository.py  versions: load beside, warm, switch, drain, unload
lifecycle.py   start, signals, ready file, drain
"""
