"""Kustomize: the same objects as the chart, and all of them acceptable to a real API server."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from manifests.generate import OVERLAYS, Object, identity, is_hook, render
from tests.support.chart import ROOT, rendered
from tests.support.controlplane import ControlPlane
from tests.support.crds import established, third_party_crds

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.cluster]
PLACES = {"base": "base", **{name: f"overlays/{name}" for name in OVERLAYS}}


@pytest.fixture(scope="module")
def cluster_with_crds(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the kinds of all projects that we can work with."""
    control_plane.run(
        "apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "manifests/crds")
    )
    established(control_plane, *third_party_crds())
    return control_plane


def kustomized(plane: ControlPlane, place: str) -> list[Object]:
    text = plane.run("kustomize", str(ROOT / "manifests" / place))
    return [found for found in yaml.safe_load_all(text) if found]


def test_what_is_generated_is_current(control_plane: ControlPlane) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "manifests.generate", "--check", "--helm", str(control_plane.helm)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run `make manifests`:\n{done.stderr}"


@pytest.mark.parametrize("values", PLACES)
def test_chart_and_kustomize_render_the_same_objects(
    control_plane: ControlPlane, values: str
) -> None:
    chart = {identity(found): found for found in render(str(control_plane.helm), values)}
    kustomize = {identity(found): found for found in kustomized(control_plane, PLACES[values])}
    assert kustomize.keys() == chart.keys()
    for key, found in chart.items():
        assert kustomize[key] == found, key


@pytest.mark.parametrize("place", PLACES.values())
def test_the_api_server_accepts_every_object(cluster_with_crds: ControlPlane, place: str) -> None:
    cluster_with_crds.run(
        "create", "namespace", "antispam-shield", check=False
    )  # the one that the files name; it may be there from the test before
    said = cluster_with_crds.run(
        *["apply", "--server-side", "--force-conflicts", "--dry-run=server"],
        *["--validate=strict", "-k", str(ROOT / "manifests" / place)],
    )
    assert said.count("serverside-applied") == len(kustomized(cluster_with_crds, place))


OPTIONAL = [
    *["pipeline.kfp.nativeObjects=true", "pipeline.trainer.enabled=true"],
    *["monitoring.serviceMonitor.enabled=true", "monitoring.prometheusRule.enabled=true"],
    *["gateway.httpRoute.enabled=true", "gateway.virtualService.enabled=true"],
    *["gateway.staffRoute.enabled=true", "gateway.staffRoute.parentRefs[0].name=internal"],
]


def test_the_api_server_accepts_everything_that_can_be_switched_on(
    cluster_with_crds: ControlPlane, tmp_path: Path
) -> None:
    arguments = [word for value in OPTIONAL for word in ("--set", value)]
    objects = rendered("kubeflow", *arguments, namespace="antispam-shield")
    kinds = {found["kind"] for found in objects}
    assert {"TrainingRuntime", "HTTPRoute", "VirtualService"} <= kinds
    assert {"ServiceMonitor", "PodMonitor", "PrometheusRule", "PodDefault"} <= kinds
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(found for found in objects if not is_hook(found)))
    cluster_with_crds.run("create", "namespace", "antispam-shield", check=False)
    cluster_with_crds.run(
        *["apply", "--server-side", "--force-conflicts", "--dry-run=server"],
        *["--validate=strict", "-f", str(file)],
    )
