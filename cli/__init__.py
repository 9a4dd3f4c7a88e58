"""`shieldctl`: the command line, the data directory, and the parts of one machine kept running.

Admission rule: this room wires doors and tells stories; the product's rules live in the rooms
below. It alone may import everything; nothing imports it.
"""
