"""The API's router with splits from a real API server, and without it."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from api.rollouts.router import ModelRouter
from shield.crds.v1alpha1 import Split
from shield.labels import ModelType
from shield.rollouts.kubernetes import KubernetesRolloutStore
from tests.support.arms import deploy, model_server, version_ref
from tests.support.controlplane import ControlPlane
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]


@pytest.fixture
def store(cluster: ControlPlane, namespace: str) -> Iterator[KubernetesRolloutStore]:
    kube = cluster.connect(namespace)
    yield KubernetesRolloutStore(kube)
    kube.close()


def answered_by(router: ModelRouter) -> str:
    routed = asyncio.run(router.ask(ModelType.SMS, "you win", "ann", None))
    assert routed.answer is not None, routed.failures
    return routed.answer.version


def wait_for_answer(router: ModelRouter, version: str) -> None:
    wait_until(lambda: answered_by(router) == version)


def test_the_last_split_stays_in_force_while_the_api_server_is_away_and_a_new_one_follows(
    cluster: ControlPlane, store: KubernetesRolloutStore
) -> None:
    with model_server() as one, model_server() as other:
        deploy(store, one)
        router = ModelRouter(store, timeout_seconds=PATIENCE_SECONDS, watch_seconds=5.0)
        router.start()
        try:
            wait_for_answer(router, "sms-v1")
            cluster.stop_api_server()
            try:
                away_until = time.monotonic() + 2
                while time.monotonic() < away_until:
                    assert answered_by(router) == "sms-v1"
                    time.sleep(0.02)
            finally:
                cluster.start_api_server()
            found = store.get("sms")
            split = Split(stable=version_ref("sms-v2"), stable_url=other)
            store.write_status(found, found.status.model_copy(update={"split": split}))
            wait_for_answer(router, "sms-v2")
        finally:
            router.stop()
