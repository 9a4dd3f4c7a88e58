"""The judge on the phone: how good, how fast, how large; `python -m bench.phone`."""
