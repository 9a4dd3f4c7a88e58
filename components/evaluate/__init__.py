"""Judges champion and challenger by the code and the file that serve; writes what the gate reads.

Admission rule: nothing here decides. Counting, curves and the report live here; whether the numbers
are good enough is `shield.gates`.
"""
