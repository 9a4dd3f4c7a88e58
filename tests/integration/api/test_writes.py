"""Rows of several tables that are inserted together, on both databases."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from api.kit.database import open_engine, open_sessions
from api.kit.writes import Writes
from api.migrate import migrate
from api.tables import Campaign, CampaignBand, CampaignFingerprint

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BANDS = {"c-1": [-(2**63), 2**63 - 1, 0], "c-2": [7, 0]}


def campaign(campaign_id: str) -> dict[str, Any]:
    return {
        "id": campaign_id,
        "model_type": "sms",
        "sample_scan_id": "s",
        "sample_sealed": b"\x00\xff'",
        "signed": "abcd",
        "pending": 1,
        "reports": 1,
        "burst": False,
        "queue_key": 1.5,
        "first_seen": NOW,
        "last_seen": NOW,
    }


def test_rows_that_differ_in_one_column_are_inserted_beside_whole_ones(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    writes = Writes()
    for campaign_id, bands in BANDS.items():
        writes.add(Campaign, **campaign(campaign_id))
        writes.add_each(CampaignBand, "band", bands, campaign_id=campaign_id)
    writes.add(CampaignFingerprint, fingerprint="f", model_type="sms", campaign_id="c-1")
    with open_sessions(engine)() as session:
        writes.run(session)
        writes.run(session)  # nothing is left
        session.commit()
    with engine.connect() as connection:
        rows = connection.execute(select(CampaignBand.campaign_id, CampaignBand.band)).all()
        assert sorted(map(tuple, rows)) == sorted(
            (c, band) for c, each in BANDS.items() for band in each
        )
        stored = connection.execute(select(Campaign).order_by(Campaign.id)).mappings().all()
        assert [{name: row[name] for name in campaign("")} for row in stored] == [
            campaign(campaign_id) for campaign_id in BANDS
        ]
        assert connection.scalar(select(CampaignFingerprint.campaign_id)) == "c-1"
    engine.dispose()


def test_one_row_that_exists_keeps_all_others_out(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(insert(CampaignBand).values(band=7, campaign_id="c"))
    writes = Writes()
    writes.add(CampaignFingerprint, fingerprint="f", model_type="sms", campaign_id="c")
    writes.add_each(CampaignBand, "band", [6, 7, 8], campaign_id="c")
    with open_sessions(engine)() as session, pytest.raises(IntegrityError):
        writes.run(session)
    with engine.connect() as connection:
        assert connection.scalars(select(CampaignBand.band)).all() == [7]
        assert not connection.scalars(select(CampaignFingerprint.fingerprint)).all()
    engine.dispose()
