"""Makes what a `ModelRollout` asks for true: carefully on the way forward, at once on the way back.

`reconcile.desired_state` decides and is pure; a `Cluster` does; `local` and `handlers` drive both.
What belongs in this room: anything that looks at a rollout and the servers of its versions.
Counting evidence is the API's, choosing the arm of a user is `shield.routing`'s.
"""
