"""Write the compiled graph (the IR that a Kubeflow server runs): `make generate`.

    python -m pipelines.compile

This one carries no cluster's settings. `pipelines.kubernetes.compile_for_cluster` adds images,
Secrets, GPU, tolerations, retries and time-outs when it is deployed.
"""

import sys
import tempfile
from pathlib import Path

IR = Path(__file__).with_name("weekly_retraining.yaml")


def compiled() -> str:
    """Return the IR of the weekly retraining as YAML."""
    from kfp import compiler

    from pipelines.graph import build

    with tempfile.TemporaryDirectory(prefix="ir-") as folder:
        path = Path(folder) / IR.name
        compiler.Compiler().compile(build(), str(path))
        return path.read_text(encoding="utf-8")


def main() -> int:
    """Write the IR beside the graph."""
    IR.write_text(compiled(), encoding="utf-8")
    print(IR)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
