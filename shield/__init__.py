"""The shared library: words, rules and doors that every other room uses.

Admission rule: no web framework and no kfp here; boto3, sqlalchemy and kubernetes only inside a
door (`artifacts`, `rollouts`). `gates`, `routing` and everything they import are pure: no clock, no
randomness, no I/O.
"""
