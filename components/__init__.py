"""The steps of the weekly retraining, one room each: a KFP signature over a plain `step.py`."""
