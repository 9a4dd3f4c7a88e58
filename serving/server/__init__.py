"""The model server: serves one model type per process, with onnxruntime.

http.py        requests, responses, problem documents; limits
routes.py      routing of paths; plain `/predict`
oip.py         the Open Inference Protocol v2
engine.py      texts -> rows -> work queue -> threads -> probabilities; cache, deadlines
repository.py  versions: load, warm up, switch, drain, unload
lifecycle.py   start, signals, ready file, drain
"""
