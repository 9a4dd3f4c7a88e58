"""Does the learning keep its promises? Each experiment is a module with a `run(scale) -> Outcome`.

All data are real messages; what is made from them (evasions, streams, liars) is drawn from seeds.
The product's own steps learn: `build_dataset`, `train`, `baseline`, `evaluate` and the gates.
"""
