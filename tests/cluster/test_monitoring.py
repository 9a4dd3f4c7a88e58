"""Alerts and dashboard: they ask for metrics that exist, and every alert has a runbook."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api.kit.counters import exposition
from serving.operator.telemetry import Telemetry
from serving.server.metrics import Metrics
from shield.crds.v1alpha1 import Phase
from tests.support.chart import CHART, ROOT, Object, one, rendered
from tests.support.controlplane.binaries import go

pytestmark = pytest.mark.xdist_group("cluster")
OF_THE_CLUSTER = {"kube_job_status_failed"}
"""From kube-state-metrics, which every Prometheus Operator stack brings."""


def exposed() -> set[str]:
    """Return the names of the time series that our processes expose."""
    telemetry = Telemetry()
    telemetry.rollouts([Phase.HEALTHY])
    texts = [exposition(), Metrics().text()]
    from prometheus_client import generate_latest

    texts.append(generate_latest(telemetry.registry))
    names: set[str] = set()
    for text in texts:
        for family in text_string_to_metric_families(text.decode()):
            kinds = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}
            names |= {family.name + suffix for suffix in kinds.get(family.type, ("",))}
    return names


def asked(expression: str) -> set[str]:
    """Return the names of the time series in an expression."""
    return set(re.findall(r"\b((?:shield|kube)_[a-z_]+)(?=\{)", expression))


def alerts() -> list[Object]:
    found = one(rendered("kubeflow"), "PrometheusRule")
    return [rule for group in found["spec"]["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_asks_for_what_is_measured_and_leads_to_its_runbook(alert: Object) -> None:
    names = asked(alert["expr"])
    assert names
    assert names <= exposed() | OF_THE_CLUSTER
    assert 'namespace="shield"' in alert["expr"]
    assert alert["labels"]["severity"] in {"info", "warning", "critical"}
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert page.endswith("docs/operations.md")
    headings = re.findall(r"^### (\w+)$", (ROOT / "docs/operations.md").read_text(), flags=re.M)
    assert anchor == alert["alert"].lower()
    assert alert["alert"] in headings


def test_every_panel_asks_for_what_is_measured() -> None:
    dashboard = json.loads((CHART / "files/dashboard.json").read_text())
    assert len(dashboard["panels"]) >= 9
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            names = asked(target["expr"])
            assert names, panel["title"]
            assert names <= exposed(), panel["title"]
        assert panel["description"]


@pytest.mark.cluster
def test_the_dashboard_keeps_to_grafanas_schema(tmp_path: Path) -> None:
    program = tmp_path / "grafana"
    subprocess.run(
        [*go(), "build", "-o", str(program), "."],
        cwd=Path(__file__).parent / "grafana",
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"},
        check=True,
    )
    board = (CHART / "files/dashboard.json").read_text()
    done = subprocess.run([program], input=board, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    broken = board.replace('"refId"', '"refid"', 1)
    done = subprocess.run([program], input=broken, capture_output=True, text=True, check=False)
    assert "refid" in done.stdout
    places = [panel["gridPos"] for panel in json.loads(board)["panels"]]
    taken = [
        (at["x"] + x, at["y"] + y) for at in places for x in range(at["w"]) for y in range(at["h"])
    ]
    assert len(taken) == len(set(taken)), "panels lie upon each other"
    assert max(x for x, _ in taken) < 24


def test_the_dashboard_is_a_config_map_that_grafana_finds() -> None:
    found = one(rendered("kubeflow"), "ConfigMap", "-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["antispam-shield.json"])["title"] == "Anti-Spam Shield"


def test_monitors_select_services_and_pods_by_labels_that_these_have() -> None:
    objects = rendered("kubeflow")
    monitor = one(objects, "ServiceMonitor")
    service = one(objects, "Service", "-api")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    operator = one(objects, "PodMonitor", "-operator")["spec"]["selector"]["matchLabels"]
    pod = one(objects, "Deployment", "-operator")["spec"]["template"]["metadata"]["labels"]
    assert operator.items() <= pod.items()
    server = one(objects, "PodMonitor", "-model-server")["spec"]["selector"]["matchLabels"]
    template = yaml.safe_load(one(objects, "ConfigMap", "-model-server")["data"]["pod.json"])
    assert server.items() <= template["metadata"]["labels"].items()
