"""The audit log is compared with heads that were published outside the database."""

import json
import re

import httpx
import pytest
from sqlalchemy import text

from api.audit import heads
from api.kit.context import open_context
from api.privacy.retention import CARETAKER, look_after
from tests.integration.api.steps import decide, report
from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS


def grow(api: RunningApi, name: str) -> None:
    decide(api, report(api, name, f"a parcel of {name} waits").id)


def publish(api: RunningApi) -> None:
    with open_context(api.services, CARETAKER) as ctx:
        heads.publish(ctx)


def cut(api: RunningApi, entries: int) -> None:
    """Delete the newest entries, as somebody with the database would."""
    newest = "(SELECT max(sequence) FROM audit_log)"
    with api.services.engine.begin() as connection:
        for _ in range(entries):
            connection.execute(text(f"DELETE FROM audit_log WHERE sequence = {newest}"))


def test_deleting_the_newest_entries_is_noticed_even_after_new_ones_take_their_place(
    api: RunningApi,
) -> None:
    grow(api, "ann")
    look_after(api.services)
    with api.client("root", "admin") as admin:
        whole = admin.audit_verify()
        assert (whole.problem, whole.published) == ("", whole.entries)
        cut(api, 1)
        assert "was shortened" in admin.audit_verify().problem
        grow(api, "bob")
        publish(api)  # the caretaker must not make the forgery the truth
        forged = admin.audit_verify()
        assert "is not the one that was published" in forged.problem
        assert forged.broken_at == whole.entries


def test_a_head_that_somebody_removed_leaves_that_of_the_day(api: RunningApi) -> None:
    grow(api, "ann")
    publish(api)
    api.services.artifacts.delete(heads.NEWEST)
    cut(api, 1)
    with api.client("root", "admin") as admin:
        assert "was shortened" in admin.audit_verify().problem


@pytest.mark.parametrize("how", ["sequence", "signature", "nonsense"])
def test_a_forged_head_is_told_and_not_believed(api: RunningApi, how: str) -> None:
    grow(api, "ann")
    publish(api)
    store = api.services.artifacts
    document = json.loads(store.get(heads.NEWEST))
    if how == "sequence":
        document["sequence"] -= 1
    if how == "signature":
        document["signature"] = ""
    forged = b"nonsense" if how == "nonsense" else json.dumps(document).encode()
    store.put(heads.NEWEST, forged, overwrite=True)
    publish(api)
    with api.client("root", "admin") as admin:
        assert "not a head that this installation has signed" in admin.audit_verify().problem


def test_the_metrics_hold_length_and_head_for_whoever_keeps_them(api: RunningApi) -> None:
    grow(api, "ann")
    told = httpx.get(f"{api.url}/metrics", trust_env=False, timeout=PATIENCE_SECONDS).text
    with api.services.sessions() as session:
        newest = heads.newest(session)
    assert newest is not None
    for name, value in (
        ("shield_audit_entries", newest[0]),
        ("shield_audit_head", int(newest[1][:13], 16)),
    ):
        shown = re.search(rf"^{name} (\S+)$", told, re.MULTILINE)
        assert shown is not None
        assert float(shown[1]) == value
