"""Retention, sweeps, rotation of keys: what goes on by itself, and by an operator's command."""

import json
from pathlib import Path

import pytest
from sqlalchemy import DDL

from api.campaigns import finding
from api.campaigns.signing import resign
from api.kit.context import open_context
from api.kit.keyring import KeyRing, rotated
from api.kit.signature import bands, fingerprint
from api.privacy.retention import CARETAKER, Caretaker, look_after, retain
from api.privacy.rotation import reseal
from api.tables import Scan
from shield.errors import Misconfigured
from shield.similarity import form
from tests.integration.api.steps import decide, report, scan
from tests.integration.api.test_privacy import train
from tests.support.api import RunningApi, running_services
from tests.support.waiting import wait_until


def test_old_messages_that_nobody_reported_are_erased_after_their_time(api: RunningApi) -> None:
    scan(api, "ann", "forgettable walrus")
    kept = report(api, "bob", "reported narwhal")
    api.clock.move_on(31 * 86400)
    scan(api, "ann", "a fresh message")
    assert retain(api.services, 30) == 1
    look_after(api.services)
    with api.client("ann") as ann, api.client("bob") as bob:
        assert [one.text for one in ann.scans()] == ["a fresh message", None]
        found = bob.scans().items[0]
        assert found.text == "reported narwhal"
        assert found.feedback is not None
        assert found.feedback.id == kept.id


def test_the_sweep_removes_only_snapshots_that_no_batch_names(api: RunningApi) -> None:
    decide(api, report(api, "ann", "a parcel waits").id)
    batch = train(api)
    orphan = "batches/sms/" + "f" * 64 + ".parquet"
    api.services.artifacts.put(orphan, b"left by a crash")
    look_after(api.services)
    assert not api.services.artifacts.exists(orphan)
    assert api.services.artifacts.exists(batch.uri)


def test_after_rotation_and_resealing_the_old_key_can_be_thrown_away(
    tmp_path: Path, database_url: str, api: RunningApi
) -> None:
    report(api, "ann", "sealed with the first key")
    ring_file = api.services.settings.message_keys
    assert ring_file is not None
    old = api.services.ring.active
    ring_file.write_text(rotated(ring_file.read_text(), api.clock()))
    url = api.services.engine.url.render_as_string(hide_password=False)
    with running_services(tmp_path, url, message_keys=ring_file) as services:
        assert services.ring.active != old
        assert reseal(services) >= 2
        assert reseal(services) == 0
        ring = json.loads(ring_file.read_text())
        del ring["keys"][old]
        young = KeyRing.parse(json.dumps(ring))
        with services.sessions() as session:
            row = session.query(Scan).one()
            assert row.text_sealed is not None
            assert young.open(row.text_sealed, row.id) == "sealed with the first key"
            with pytest.raises(Misconfigured, match="was changed, or moved"):
                young.open(row.text_sealed, "another row")


def test_one_piece_of_maintenance_that_fails_keeps_no_other_from_being_done(
    api: RunningApi,
) -> None:
    orphan = "batches/sms/" + "f" * 64 + ".parquet"
    api.services.artifacts.put(orphan, b"left by a crash")
    with api.services.engine.begin() as connection:
        connection.execute(DDL("ALTER TABLE known_campaigns RENAME TO lost"))
    caretaker = Caretaker(api.services, every_seconds=0.05)
    caretaker.start()
    try:
        wait_until(lambda: not api.services.artifacts.exists(orphan), "it was never swept")
    finally:
        caretaker.stop()
        with api.services.engine.begin() as connection:
            connection.execute(DDL("ALTER TABLE lost RENAME TO known_campaigns"))


def test_after_a_new_signature_key_all_is_found_again_and_the_old_key_finds_nothing(
    tmp_path: Path, database_url: str, api: RunningApi
) -> None:
    text = "Your parcel 4711 is held, pay 1.99 now at https://post-pay.example/a"
    first = report(api, "ann", text)
    ring_file = api.services.settings.message_keys
    assert ring_file is not None
    ring_file.write_text(rotated(ring_file.read_text(), api.clock(), signatures=True))
    url = api.services.engine.url.render_as_string(hide_password=False)
    said, copy = form(text), form(text.replace("parcel 4711", "package 99"))
    with running_services(tmp_path, url, message_keys=ring_file) as services:
        with open_context(services, CARETAKER) as ctx:
            assert finding.find(ctx, "sms", copy) is None
        assert resign(services, CARETAKER) >= 2
        assert resign(services, CARETAKER) == 0
        with open_context(services, CARETAKER) as ctx:
            found = finding.find(ctx, "sms", copy)
            exact = finding.exact(ctx.session, fingerprint(said, services.ring), "sms")
            assert found is not None
            assert exact is not None
            assert found.campaign_id == exact.campaign_id == first.campaign_id
    with open_context(api.services, CARETAKER) as ctx:
        assert finding.find(ctx, "sms", copy) is None
        assert finding.exact(ctx.session, fingerprint(said, ctx.ring), "sms") is None
    assert set(bands(said, "sms", services.ring)).isdisjoint(bands(said, "sms", api.services.ring))
