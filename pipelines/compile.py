"""Write the steps' signatures and the compiled graphs (the IR that a server runs): `make generate`.

    python -m pipelines.compile

These carry no cluster's settings. `pipelines.kubernetes.compile_for_cluster` adds images,
Secrets, GPU, tolerations, retries and time-outs when they are deployed.
"""

import sys
import tempfile
from pathlib import Path

from pipelines.signature import signed
from shield.retraining import RetrainingParameters, steps_of

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


def signatures() -> dict[Path, str]:
    """Return the sources of the steps, with the retraining's parameters in their signatures."""
    sources = {}
    for step in {step for name in RetrainingParameters.model_fields for step in steps_of(name)}:
        path = Path(__file__).parents[1] / "components" / step / "component.py"
        sources[path] = signed(path.read_text(encoding="utf-8"), step)
    return sources


def main() -> int:
    """Write the signatures, and the IRs beside the graphs."""
    for path, source in signatures().items():
        path.write_text(source, encoding="utf-8")
    for path in (IR, WATCH):
        path.write_text(compiled(path), encoding="utf-8")
        print(path)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
