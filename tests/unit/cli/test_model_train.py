"""`shieldctl model train` says "Released" only of a version that was."""

from cli.commands.model import became
from shield.crds.v1alpha1 import ModelRolloutStatus, VersionRef
from shield.labels import ModelType


def ref(name: str) -> VersionRef:
    return VersionRef(name=name, digest=f"sha256:{'a' * 64}", uri=f"packages/{name}")


def said(asked: str, stable: str | None, candidate: str | None) -> str:
    status = ModelRolloutStatus(
        stable=ref(stable) if stable else None, candidate=ref(candidate) if candidate else None
    )
    return became(status, ModelType.SMS, "sms-v3", asked)


def test_a_version_that_waits_for_a_trial_is_not_called_released() -> None:
    told = said("busy", "sms-v1", "sms-v2")
    assert "not released: sms-v2 is on trial" in told
    assert "shieldctl rollout start sms sms-v3" in told


def test_a_version_that_has_met_users_before_is_not_called_released() -> None:
    assert "not released: it has met users before; sms-v4 serves" in said(
        "rejected", "sms-v4", None
    )


def test_a_version_that_begins_a_trial_is_on_its_way_and_a_first_one_is_released() -> None:
    assert "on its way beside sms-v1" in said("requested", "sms-v1", None)
    assert said("requested", None, None) == said("requested", "sms-v3", None) == "Released sms-v3."
