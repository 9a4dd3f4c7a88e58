"""Deployments share what their reviewers have confirmed: signed, masked, and unsure elsewhere."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.kit.context import open_context
from api.privacy.retention import sign_again
from api.settings import ApiSettings
from api.sharing import importing
from api.sharing.exporting import masked
from api.sharing.fetching import fetch
from api.sharing.service import READER
from api.sharing.signing import sign
from api.tables import KnownFeed
from shield.errors import Forbidden, Invalid, NotFound, Unavailable
from shield.wire import (
    DecidedBy,
    Feed,
    FeedRequest,
    Imported,
    KnownStanding,
    SignedFeed,
)
from tests.integration.api.steps import decide, report, scan
from tests.integration.api.test_lots import Died, dies_after
from tests.integration.api.test_webhooks import dripping, site
from tests.support.api import RunningApi, running_api, settings_for
from tests.support.arms import deploy, model_server
from tests.support.waiting import wait_until

NAMES = ("Ann Abbot", "Ben Becker", "Cat Castle")
SCAM = (
    "Dear {name}, your parcel 4711 is held at our depot since yesterday. Pay 1.99 at "
    "https://post-pay.example/a today or it goes back to the shop"
)


@dataclass
class Two:
    """A deployment that shares, and one that reads."""

    theirs: RunningApi
    ours: RunningApi


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with ExitStack() as stack:
        arm = stack.enter_context(model_server())
        both = [
            stack.enter_context(
                running_api(
                    tmp_path / name,
                    prepare=lambda services: deploy(services.rollouts, arm),
                    known_feed=True,
                    known_feed_seconds=0.2,
                    webhook_networks=["127.0.0.0/8"],
                )
            )
            for name in ("theirs", "ours")
        ]
        yield Two(*both)


def confirm(api: RunningApi) -> None:
    """Let three people report the scam, and two reviewers find it to be one."""
    sent = [
        report(api, f"user-{number}", SCAM.format(name=name)) for number, name in enumerate(NAMES)
    ]
    decide(api, sent[0].id)
    decide(api, sent[1].id, reviewer="otto")


def feed_of(api: RunningApi) -> SignedFeed:
    with api.client("rita", "reviewer") as rita:
        return rita.known_feed()


def imported(api: RunningApi, signed: SignedFeed, *, trust: bool = True) -> Imported:
    with api.client("root", "admin") as root:
        if trust and signed.public_key not in {feed.public_key for feed in root.feeds()}:
            root.add_feed(FeedRequest(name="Their bank", public_key=signed.public_key))
        return root.import_feed(signed)


def standings(api: RunningApi) -> list[KnownStanding]:
    with api.client("rita", "reviewer") as rita:
        return [entry.standing for entry in rita.known()]


def test_a_confirmed_scam_is_unsure_elsewhere_until_reviewers_there_decide(two: Two) -> None:
    confirm(two.theirs)
    signed = feed_of(two.theirs)
    (said,) = Feed.model_validate_json(signed.statement).indicators
    assert said.hosts == ["post-pay.example"]
    assert (said.reporters, said.model_type) == (3, "sms")
    for name in NAMES:
        for word in name.lower().split():
            assert word not in said.pattern.split(), "what fewer than three have is masked"
    assert imported(two.ours, signed) == Imported(added=1)
    told = scan(two.ours, "bob", SCAM.format(name="Bob Brown"))
    assert told.decided_by is DecidedBy.MODEL
    assert told.known is not None
    assert told.known.reason == "Reported elsewhere as a scam, not checked here yet."
    assert told.certainty == "unsure"
    assert imported(two.ours, signed) == Imported(known=1), "twice does no harm"
    # What people report here joins it, and reviewers here make it a verdict.
    decide(two.ours, report(two.ours, "dan", SCAM.format(name="Dan Drew")).id)
    with two.ours.client("rita", "reviewer") as rita:
        (entry,) = rita.known()
        assert (entry.standing, entry.label, entry.origin is None) == ("checking", None, False)
    decide(two.ours, report(two.ours, "eve", SCAM.format(name="Eve Earl")).id, reviewer="otto")
    told = scan(two.ours, "bob", SCAM.format(name="Bob Brown"))
    assert (told.decided_by, told.verdict) == (DecidedBy.REVIEWERS, "spam")


def test_a_subscription_follows_what_the_other_side_adds_and_takes_back(two: Two) -> None:
    signed = feed_of(two.theirs)
    with two.ours.client("root", "admin") as root:
        feed = root.add_feed(
            FeedRequest(
                name="Their bank",
                public_key=signed.public_key,
                url=f"{two.theirs.url}/api/v2/feed",
            )
        )
        wait_until(lambda: root.feeds()[0].read_at is not None)
        confirm(two.theirs)
        wait_until(lambda: KnownStanding.CHECKING in standings(two.ours))
        with two.theirs.client("rita", "reviewer") as rita:
            (entry,) = rita.known()
            rita.undo_known(entry.id, "a mistake")
        wait_until(lambda: standings(two.ours) == [KnownStanding.ENDED])
        assert scan(two.ours, "bob", SCAM.format(name="Bob")).known is None
        assert root.remove_feed(feed.id).name == "Their bank"
        assert root.feeds() == []


def test_a_reading_that_dies_goes_on_and_a_removal_goes_in_lots(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LOT", 1)
    confirm(two.theirs)
    said = Feed.model_validate_json(feed_of(two.theirs).statement)
    (one,) = said.indicators
    texts = [
        "your parcel is held at our depot since yesterday pay the fee today or it goes back",
        "we have blocked your account at the savings bank confirm your details before tonight",
        "hello mother my telephone is broken write to me at this new number as soon as you can",
    ]
    many = [
        one.model_copy(update={"id": f"{one.id[:-1]}{number}", "pattern": text})
        for number, text in enumerate(texts)
    ]
    ring = two.theirs.services.ring
    signed = sign(ring, said.model_copy(update={"indicators": many}).model_dump_json(by_alias=True))
    with two.ours.client("root", "admin") as root:
        trusted = root.add_feed(FeedRequest(name="Their bank", public_key=signed.public_key))
    with open_context(two.ours.services, READER) as ctx:
        feed = ctx.session.get_one(KnownFeed, trusted.id)
        with pytest.raises(Died):
            importing.take(ctx, feed, signed, dies_after(1))
    assert len(standings(two.ours)) == 2, "each was a lot of its own"
    again = imported(two.ours, signed, trust=False)
    assert (again.added, again.known, again.left) == (1, 2, 0)
    later = said.created + timedelta(seconds=1)
    empty = said.model_copy(update={"indicators": many[:1], "created": later})
    less = imported(two.ours, sign(ring, empty.model_dump_json(by_alias=True)), trust=False)
    assert (less.ended, less.known) == (2, 1)
    with two.ours.client("root", "admin") as root:
        root.remove_feed(trusted.id)
    assert set(standings(two.ours)) == {KnownStanding.ENDED}


def test_what_is_forged_old_or_not_trusted_is_refused(two: Two) -> None:
    confirm(two.theirs)
    signed = feed_of(two.theirs)
    with pytest.raises(Forbidden, match="Nobody here trusts the key"):
        imported(two.ours, signed, trust=False)
    changed = signed.statement.replace("post-pay.example", "royal-post.example")
    with pytest.raises(Forbidden, match="not signed with the key of Their bank"):
        imported(two.ours, signed.model_copy(update={"statement": changed}))
    said = Feed.model_validate_json(signed.statement)
    ring = two.theirs.services.ring

    def signed_again(**changes: object) -> SignedFeed:
        return sign(ring, said.model_copy(update=changes).model_dump_json(by_alias=True))

    with pytest.raises(Invalid, match="was valid until"):
        imported(two.ours, signed_again(valid_until=said.created - timedelta(days=1)))
    with pytest.raises(Invalid, match="comes from the future"):
        imported(two.ours, signed_again(created=said.created + timedelta(hours=1)))
    with pytest.raises(Invalid, match="no feed that this version reads"):
        imported(two.ours, sign(ring, json.dumps({"type": "something else"})))
    zoneless = json.loads(signed.statement)
    zoneless["created"] = zoneless["created"].removesuffix("Z")
    with pytest.raises(Invalid, match=r"created: .*timezone"):
        imported(two.ours, sign(ring, json.dumps(zoneless)))
    assert imported(two.ours, signed).added == 1
    with pytest.raises(Invalid, match="a newer one was read"):
        imported(two.ours, signed_again(created=said.created - timedelta(hours=1), indicators=[]))
    assert standings(two.ours) == [KnownStanding.CHECKING], "nothing of it has changed anything"


def test_a_feed_cannot_flag_what_many_people_get_here_without_an_objection(two: Two) -> None:
    """Poison from elsewhere meets the same look at the last days' scans as our own decisions."""
    for number in range(8):
        scan(two.ours, f"customer-{number}", SCAM.format(name=f"Customer {number}"))
    confirm(two.theirs)
    assert imported(two.ours, feed_of(two.theirs)) == Imported(refused=1)
    assert scan(two.ours, "bob", SCAM.format(name="Bob")).known is None
    with two.ours.client("rita", "reviewer") as rita:
        (entry,) = rita.known()
        assert "8 people" in entry.why


def test_a_feed_that_is_trusted_no_longer_ends_and_begins_again_if_it_is(two: Two) -> None:
    confirm(two.theirs)
    signed = feed_of(two.theirs)
    assert imported(two.ours, signed).added == 1
    with two.ours.client("root", "admin") as root:
        root.remove_feed(root.feeds()[0].id)
    assert standings(two.ours) == [KnownStanding.ENDED]
    assert imported(two.ours, signed) == Imported(added=1)
    assert standings(two.ours) == [KnownStanding.CHECKING]


def test_our_own_decision_stands_whatever_a_feed_says(two: Two) -> None:
    confirm(two.theirs)
    signed = feed_of(two.theirs)
    confirm(two.ours)
    with two.ours.client("rita", "reviewer") as rita:
        (entry,) = rita.known()
        rita.undo_known(entry.id, "it is honest here")
    assert imported(two.ours, signed) == Imported(known=1)
    assert standings(two.ours) == [KnownStanding.UNDONE]


def test_nothing_leaves_that_fewer_than_three_people_have_reported(two: Two) -> None:
    first = report(two.theirs, "ann", SCAM.format(name="Ann"))
    second = report(two.theirs, "ben", SCAM.format(name="Ben"))
    decide(two.theirs, first.id)
    decide(two.theirs, second.id, reviewer="otto")
    assert standings(two.theirs) == [KnownStanding.CONFIRMED]
    assert Feed.model_validate_json(feed_of(two.theirs).statement).indicators == []


def test_an_imported_entry_outlives_another_key_for_look_ups(two: Two) -> None:
    confirm(two.theirs)
    assert imported(two.ours, feed_of(two.theirs)).added == 1
    ring = two.ours.services.ring
    ring.signature_key = b"another key for look-ups by content"[:32]
    assert sign_again(two.ours.services)
    two.ours.services.known.refresh()
    assert scan(two.ours, "bob", SCAM.format(name="Bob")).known is not None


def test_a_feed_that_drips_refuses_or_leads_inside_holds_nobody_up(tmp_path: Path) -> None:
    def settings(**changes: Any) -> ApiSettings:
        return settings_for(tmp_path, webhook_timeout_seconds=0.5, **changes)

    local = settings(webhook_networks=["127.0.0.0/8"])
    with dripping() as hostile, pytest.raises(Unavailable, match="TimeoutError"):
        fetch(hostile.url, local)
    with site() as other, pytest.raises(Unavailable, match="answered 501"):
        fetch(other.url, local)  # it takes no GET
    with site() as other, pytest.raises(Unavailable, match="not a public address"):
        fetch(other.url, settings())


def test_a_feed_is_shared_only_where_it_is_switched_on(tmp_path: Path) -> None:
    with running_api(tmp_path) as api, api.client("ann") as ann, pytest.raises(NotFound):
        ann._call("GET", "/feed")


def test_words_of_one_or_two_people_are_masked() -> None:
    texts = [f"dear {name} your parcel waits" for name in ("ann", "ben", "cat", "ann")]
    assert masked(texts[0], texts) == "dear your parcel waits"
