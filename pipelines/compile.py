"""Write the compiled graphs (the IR that a Kubeflow server runs): `make generate`.

    python -m pipelines.compile

These carry no cluster's settings. `pipelines.kubernetes.compile_for_cluster` adds images,
Secrets, GPU, tolerations, retries and time-outs when they are deployed.
"""

import sys
import tempfile
from pathlib import Path

IR = Path(__file__).with_name("weekly_retraining.yaml")
WATCH = Path(__file__).with_name("drift_watch.yaml")


def compiled(path: Path = IR) -> str:
    """Return the IR of a graph, the weekly retraining or the drift watch, as YAML."""
    from kfp import compiler

    from pipelines.drift_graph import build_watch
    from pipelines.graph import build

    with tempfile.TemporaryDirectory(prefix="ir-") as folder:
        written = Path(folder) / path.name
        graph = build() if path == IR else build_watch()
        compiler.Compiler().compile(graph, str(written))
        return written.read_text(encoding="utf-8")


def main() -> int:
    """Write the IRs beside the graphs."""
    for path in (IR, WATCH):
        path.write_text(compiled(path), encoding="utf-8")
        print(path)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
