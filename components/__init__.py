"""The steps of the weekly retraining, one room each: a thin KFP signature over a plain `step.py`."""
