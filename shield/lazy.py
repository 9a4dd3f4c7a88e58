"""Whether the types that travel are built at once or when they are first used.

A server builds all of them when it starts. A command uses a handful and should answer at once: it
says so before anything else is imported.
"""

types = False
"""Set before the first import of `shield.crds` or `shield.wire`."""
