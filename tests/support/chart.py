"""The chart, as helm renders it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support.controlplane import ensure_binaries

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm"

Object = dict[str, Any]


def values_file(name: str) -> Path:
    """Return one of the value files in `helm/ci`."""
    return CHART / f"ci/{name}-values.yaml"


def rendered(
    values: str, *arguments: str, release: str = "antispam-shield", namespace: str = "shield"
) -> list[Object]:
    """Return the chart's objects.

    Raises:
        AssertionError: helm refused; the message is what it said.
    """
    command = [str(ensure_binaries() / "helm"), "template", release, str(CHART)]
    command += ["--namespace", namespace, "--values", str(values_file(values))]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def one(objects: list[Object], kind: str, name: str = "") -> Object:
    """Return the only object of `kind` whose name ends in `name`."""
    (found,) = [
        item for item in objects if item["kind"] == kind and item["metadata"]["name"].endswith(name)
    ]
    return found


def pods_of(found: Object) -> Iterator[Object]:
    """Yield the pod specs in an object."""
    spec = found.get("spec") or {}
    if found["kind"] == "Pod":
        yield spec
    elif found["kind"] == "CronJob":
        yield spec["jobTemplate"]["spec"]["template"]["spec"]
    elif found["kind"] in {"Deployment", "StatefulSet", "Job"}:
        yield spec["template"]["spec"]
    elif found["kind"] == "TrainingRuntime":
        for job in spec["template"]["spec"]["replicatedJobs"]:
            yield job["template"]["spec"]["template"]["spec"]
    elif found["kind"] == "ConfigMap" and "pod.json" in found["data"]:
        yield json.loads(found["data"]["pod.json"])["spec"]
