"""Benchmarks: us beside a peer or a limit, in the same minute, with the ratio printed.

Each writes `bench/results/<name>.json`: figures, machine, date and aims.
"""
