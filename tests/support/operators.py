"""The operator of a cluster as a child process, against a control plane of the tests."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec
from shield.rollouts.kubernetes import KubernetesRolloutStore
from tests.support.controlplane import ControlPlane
from tests.support.rollouts import spec, until
from tests.support.waiting import PATIENCE_SECONDS

TEMPLATE = {
    "metadata": {"labels": {"app.kubernetes.io/component": "model-server"}},
    "spec": {"containers": [{"name": "model-server", "image": "antispam-shield-serving:test"}]},
}
LEASE_SECONDS = 6
"""Shorter, and a busy machine could not renew it in time."""


@dataclass
class Ward:
    """A namespace with an operator that looks after it."""

    plane: ControlPlane
    namespace: str
    folder: Path
    store: KubernetesRolloutStore
    environment: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str = "sms", **changes: object) -> ModelRollout:
        def change(was: ModelRolloutSpec | None) -> ModelRolloutSpec:
            return (was or spec("unused")).model_copy(update=changes)

        return self.store.change_spec(name, change)

    def until(self, holds: Callable[[ModelRollout], bool], name: str = "sms") -> ModelRollout:
        return until(lambda: self.store.get(name), holds, self.log)

    def log(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.folder.glob("*.log")))

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        return self.plane.run("-n", self.namespace, *arguments, stdin=stdin, check=check)

    def start(self, name: str = "operator") -> subprocess.Popen[bytes]:
        template = self.folder / "template.json"
        template.write_text(json.dumps(TEMPLATE))
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.plane.kubeconfig),
            "SHIELD_OPERATOR_NAMESPACE": self.namespace,
            "SHIELD_OPERATOR_SERVER_TEMPLATE": str(template),
            "SHIELD_OPERATOR_LEASE_SECONDS": str(LEASE_SECONDS),
            "SHIELD_OPERATOR_METRICS_PORT": "0",
            "SHIELD_OPERATOR_DRAIN_SECONDS": "1",
            "SHIELD_API_URL": "http://127.0.0.1:9",  # nothing answers there
            **self.environment,
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "serving.operator"], env=environment, stderr=log, stdout=log
            )


@contextmanager
def ward(plane: ControlPlane, folder: Path) -> Iterator[Ward]:
    """Yield a namespace of its own, without an operator yet."""
    with plane.namespace() as namespace:
        kube = plane.connect(namespace)
        yield Ward(plane, namespace, folder, KubernetesRolloutStore(kube))
        kube.close()


@contextmanager
def operating(place: Ward, name: str = "operator") -> Iterator[subprocess.Popen[bytes]]:
    """Run an operator for as long as the block lasts."""
    process = place.start(name)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
