"""What cannot be read holds up no erasure, no rotation of keys and no change of them."""

from pathlib import Path

import pytest
from sqlalchemy import select

from api.campaigns.signing import resign
from api.kit.keyring import rotated
from api.privacy.retention import CARETAKER
from api.privacy.rotation import reseal
from api.tables import Campaign, Scan
from shield.errors import Misconfigured
from tests.integration.api.steps import report
from tests.support.api import RunningApi, running_services


def damage(api: RunningApi, user: str) -> None:
    """Cut a byte off all texts of one user, as a fault of the disk would."""
    with api.services.sessions() as session:
        for row in session.scalars(select(Scan).where(Scan.user_id == user)):
            assert row.text_sealed is not None
            row.text_sealed = row.text_sealed[:-1]
        session.commit()


def test_a_person_is_erased_although_a_text_of_another_cannot_be_read(api: RunningApi) -> None:
    text = "Your parcel is held, pay 1.99 now at https://post-pay.example/a"
    for user in ("ann", "bob", "cat"):
        report(api, user, text)
    damage(api, "bob")
    with api.client("ann") as ann:
        assert ann.erase_me().scans == 1
    with api.services.reading() as session:
        sample = session.scalars(select(Campaign.sample_scan_id)).one()
        assert sample == session.scalars(select(Scan.id).where(Scan.user_id == "cat")).one()
    with api.client("cat") as cat:
        cat.erase_me()
    with api.services.reading() as session:
        assert session.scalars(select(Campaign.sample_scan_id)).one() == ""


def test_a_text_that_cannot_be_read_keeps_no_other_from_a_new_key(
    tmp_path: Path, database_url: str, api: RunningApi
) -> None:
    for user in ("ann", "bob", "cat"):
        report(api, user, f"a message that nobody but {user} has sent, about a parcel of {user}")
    damage(api, "bob")
    ring_file = api.services.settings.message_keys
    assert ring_file is not None
    ring_file.write_text(rotated(ring_file.read_text(), api.clock(), signatures=True))
    url = api.services.engine.url.render_as_string(hide_password=False)
    with running_services(tmp_path, url, message_keys=ring_file) as services:
        for _again in range(2):
            with pytest.raises(Misconfigured, match="; 1 cannot be read"):
                reseal(services)
        with services.reading() as session:
            active = services.ring.active.encode()
            fresh = {
                row.user_id for row in session.scalars(select(Scan)) if is_sealed_by(row, active)
            }
        assert fresh == {"ann", "cat"}
        assert resign(services, CARETAKER) >= 4
        assert resign(services, CARETAKER) == 0


def is_sealed_by(row: Scan, key: bytes) -> bool:
    return row.text_sealed is not None and row.text_sealed.startswith(key)
