"""The alerts and the dashboard's queries, run by Prometheus's own promtool over made-up series."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, one, rendered
from tests.support.promtool import ensure_promtool

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

HOUR, DAY = 60, 1440
SCANS = 'method="POST",route="/api/v2/scans"'
TRIAL = 'model_type="sms",version="sms-v2",arm="candidate"'
STABLE = 'model_type="sms",version="sms-v1",arm="stable"'

Series = Mapping[str, str]
WELL: Series = {
    f'shield_api_request_seconds_count{{{SCANS},status="200"}}': "0+600x{n}",
    f'shield_api_request_seconds_count{{{SCANS},status="503"}}': "0+1x{n}",
    f'shield_api_request_seconds_bucket{{{SCANS},status="200",le="0.05"}}': "0+599x{n}",
    f'shield_api_request_seconds_bucket{{{SCANS},status="200",le="1"}}': "0+600x{n}",
    f'shield_api_request_seconds_bucket{{{SCANS},status="200",le="+Inf"}}': "0+600x{n}",
    f"shield_arm_failures_total{{{STABLE}}}": "0x{n}",
    f"shield_arm_failures_total{{{TRIAL}}}": "0+0.05x{n}",
    'shield_server_refusals_total{reason="queue_full"}': "0+1x{n}",
    'shield_server_model_faults_total{version="sms-v1",kind="nan"}': "0x{n}",
    'shield_operator_rollouts{phase="Degraded"}': "0x{n}",
    'shield_operator_leader{pod="one"}': "1x{n}",
    'shield_operator_leader{pod="two"}': "0x{n}",
    'shield_operator_reconcile_errors_total{kind="Conflict"}': "7x{n}",
    "shield_feedback_pending": "499x{n}",
    'shield_known_busiest_matches{model_type="sms"}': "60x{n}",
    'shield_scans_total{model_type="sms",version="sms-v1",arm="stable",verdict="ham"}': "0+600x{n}",
    "shield_outbox_waiting_seconds": "30x{n}",
    'shield_run_failed{model_type="sms",kind="retraining"}': "0x{n}",
    'shield_drift_asks{model_type="sms"}': "0x{n}",
    'shield_audit_entries{pod="one"}': "100+1x{n}",
    'shield_audit_entries{pod="two"}': "99+1x{n}",
    'shield_drift_looked_timestamp_seconds{model_type="sms"}': "0+60x{n}",
}
"""An installation that is well, one value a minute. `{n}` is how many more; of the namespace below.
"""


@dataclass(frozen=True)
class Fault:
    """What is otherwise than in `WELL`; the minutes when nothing tells it yet, and when it does."""

    series: Series
    quiet: int
    told: int
    gone: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """How often is measured: just within Prometheus's five minutes where days go by."""
        return "4m" if self.told > DAY else "1m"


FAULTS: dict[str, Fault] = {
    "ShieldApiDown": Fault({}, 4, 10, gone=("shield_api_",)),
    "ShieldApiErrors": Fault(
        {f'shield_api_request_seconds_count{{{SCANS},status="503"}}': "0+12x{n}"}, 9, 20
    ),
    "ShieldApiSlow": Fault(
        {f'shield_api_request_seconds_bucket{{{SCANS},status="200",le="0.05"}}': "0+300x{n}"},
        14,
        25,
    ),
    "ShieldStableFails": Fault({f"shield_arm_failures_total{{{STABLE}}}": "0+2x{n}"}, 4, 12),
    "ShieldCandidateFails": Fault(
        {f"shield_arm_failures_total{{{TRIAL}}}": "0x60 1+1x{n}"}, 60, 75
    ),
    "ShieldModelServerRefuses": Fault(
        {'shield_server_refusals_total{reason="queue_full"}': "0+30x{n}"}, 9, 20
    ),
    # A single one. Prometheus sees an increase because the series has been there, at 0.
    "ShieldModelFaults": Fault(
        {'shield_server_model_faults_total{version="sms-v1",kind="nan"}': "0x20 1x{n}"}, 20, 25
    ),
    "ShieldRolloutDegraded": Fault({'shield_operator_rollouts{phase="Degraded"}': "1x{n}"}, 4, 6),
    "ShieldNoLeader": Fault({'shield_operator_leader{pod="one"}': "0x{n}"}, 4, 6),
    "ShieldReconcileFails": Fault(
        {'shield_operator_reconcile_errors_total{kind="Conflict"}': "0+1x{n}"}, 14, 30
    ),
    "ShieldQueueGrows": Fault({"shield_feedback_pending": "501x{n}"}, DAY - 1, DAY + 8),
    "ShieldKnownMatchesMuch": Fault(
        {'shield_known_busiest_matches{model_type="sms"}': "60x120 2200x{n}"}, 122, 130
    ),
    "ShieldOutboxWaits": Fault({"shield_outbox_waiting_seconds": "0+60x{n}"}, 19, 25),
    "ShieldRetrainingFailed": Fault(
        {'shield_run_failed{model_type="sms",kind="retraining"}': "0x10 1x{n}"}, 10, 12
    ),
    "ShieldDrift": Fault(
        {'shield_drift_asks{model_type="sms"}': "1x{n}"}, 2 * DAY - 1, 2 * DAY + 8
    ),
    "ShieldAuditShortened": Fault(
        {
            'shield_audit_entries{pod="one"}': "100+1x30 50+1x{n}",
            'shield_audit_entries{pod="two"}': "99+1x30 50+1x{n}",
        },
        31,
        35,
    ),
    "ShieldDriftUnwatched": Fault(
        {'shield_drift_looked_timestamp_seconds{model_type="sms"}': "0x{n}"}, 3 * DAY, 3 * DAY + 8
    ),
}
HARMLESS: dict[str, Fault] = {
    "nothing happens": Fault({}, 0, 3 * HOUR),
    "nobody scans": Fault(
        {name: "600x{n}" for name in WELL if "_seconds_" in name or "scans" in name}
        | {'shield_known_busiest_matches{model_type="sms"}': "0x{n}"},
        0,
        3 * HOUR,
    ),
    "the pod that was read last has gone": Fault(
        {'shield_audit_entries{pod="one"}': "100+1x30 stale"}, 0, 50
    ),
    "a Job of somebody else's fails": Fault(
        {'kube_job_status_failed{job_name="backup-1"}': "1x{n}"}, 0, 30
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the rules of the chart as a file of Prometheus."""
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules()))
    return folder


def rules() -> dict[str, Any]:
    spec: dict[str, Any] = one(rendered("kubeflow"), "PrometheusRule")["spec"]
    return spec


def names() -> set[str]:
    return {rule["alert"] for group in rules()["groups"] for rule in group["rules"]}


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [ensure_promtool(), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def series(fault: Fault) -> list[dict[str, str]]:
    """Return all series of a scenario, in promtool's words, for as long as it lasts."""
    lasting = {**WELL, **fault.series}
    kept = [name for name in lasting if not name.startswith(tuple(fault.gone) or "-")]
    return [
        {"series": _named(name), "values": lasting[name].format(n=fault.told + 5)} for name in kept
    ]


def _named(name: str) -> str:
    metric, _, labels = name.partition("{")
    return f'{metric}{{namespace="shield",{labels or "}"}'


def firing(minutes: int, alert: str | None) -> dict[str, Any]:
    """Return what promtool shall find firing at a time: one alert, or none."""
    found = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if alert else []
    expression = 'count by (alertname) (count by (alertname, kind) (ALERTS{alertstate="firing"}))'
    return {"expr": expression, "eval_time": f"{minutes}m", "exp_samples": found}


def test_prometheus_takes_the_rules(folder: Path) -> None:
    assert f"{len(names())} rules found" in promtool("check", "rules", folder / "rules.yaml")


def test_every_alert_is_tried() -> None:
    assert set(FAULTS) == names()


@pytest.mark.parametrize("name", [*FAULTS, *HARMLESS])
def test_an_alert_tells_its_fault_alone_and_not_before_it_lasts(name: str, folder: Path) -> None:
    fault = FAULTS.get(name) or HARMLESS[name]
    expected = [firing(fault.quiet, None), firing(fault.told, name if name in FAULTS else None)]
    measured = {"interval": fault.step, "input_series": series(fault), "promql_expr_test": expected}
    scenario = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": fault.step,
        "tests": [{"name": name, **measured}],
    }
    file = folder / f"{name.replace(' ', '-')}.yaml"
    file.write_text(yaml.safe_dump(scenario))
    promtool("test", "rules", file)


def test_prometheus_takes_every_query_of_the_dashboard(tmp_path: Path) -> None:
    board = json.loads((CHART / "files/dashboard.json").read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    records = [
        {"record": f"panel:{number}", "expr": query.replace("$namespace", "shield")}
        for number, query in enumerate(queries)
    ]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    assert f"{len(queries)} rules found" in promtool("check", "rules", file)
