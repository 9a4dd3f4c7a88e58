"""The first transformer and the linear version that is being installed before it."""

import threading
from pathlib import Path

from pipelines import base
from shield.crds.v1alpha1 import VersionRef
from shield.labels import ModelType
from shield.wire import RolloutRequest, VersionRequest
from tests.support.api import running_api

SMS = ModelType.SMS


def test_a_transformer_waits_while_the_linear_version_is_installed(tmp_path: Path) -> None:
    with running_api(tmp_path) as api, api.client("train", "pipeline") as client:
        for number in (1, 2, 3):
            digest = "sha256:" + str(number) * 64
            version = VersionRequest(digest=digest, uri=f"packages/sms/{number}")
            client.register_version(SMS, version)
        client.request_rollout(SMS, RolloutRequest(version="sms-v1", reason="linear"))
        store = api.services.rollouts
        rollout = store.get("sms")
        linear = VersionRef.model_validate(rollout.spec.version.model_dump())
        installing = rollout.status.model_copy(update={"candidate": linear})
        rollout = store.write_status(rollout, installing)
        serving = installing.model_copy(update={"candidate": None, "stable": linear})
        installed = threading.Timer(1, lambda: store.write_status(rollout, serving))
        installed.start()
        assert base._ask(client, SMS, "sms-v2", "base-sms") == "requested"
        installed.join()
        assert store.get("sms").spec.version.name == "sms-v2"
        on_trial = store.get("sms")
        candidate = VersionRef.model_validate(on_trial.spec.version.model_dump())
        store.write_status(on_trial, on_trial.status.model_copy(update={"candidate": candidate}))
        # Where a version serves, a trial may take weeks, and is not waited for.
        assert base._ask(client, SMS, "sms-v3", "base-sms") == "busy"
