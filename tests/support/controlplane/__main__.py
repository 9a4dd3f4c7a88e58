"""`python -m tests.support.controlplane [--node]`: make the binaries present and print their
folder."""

import sys

from tests.support.controlplane.binaries import NODE, ensure_binaries

print(ensure_binaries(NODE if "--node" in sys.argv[1:] else ()))
