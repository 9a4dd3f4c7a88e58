"""The operator: carries out `ModelRollout`s, step by step when promoting, at once when undoing.

`reconcile.desired_state` decides and is pure; a `Cluster` acts; `local` and `handlers` drive both.
This package contains everything that handles a rollout and the servers of its versions. Evidence is
counted by the API, and the arm of a user is chosen by `shield.routing`.
"""
