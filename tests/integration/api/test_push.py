"""Web Push: phones are woken without text, by consent, and no address of ours can be reached."""

import base64
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import http_ece
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import create_engine, func, select

from api.privacy.rotation import reseal
from api.push.keys import new_key, push_key
from api.push.sending import send
from api.push.work import KEPT_SECONDS
from api.tables import Notice, OutboxRow, PushSubscription
from shield.errors import Misconfigured
from shield.labels import ModelType
from shield.wire import PushRequest
from tests.integration.api.steps import decide, http, report, scan
from tests.integration.api.test_inbox import settled
from tests.integration.api.test_known import COPY, SCAM, confirmed
from tests.integration.api.test_outbox import decided
from tests.support.api import RunningApi, running_api, settings_for
from tests.support.arms import deploy, model_server
from tests.support.push_service import KEY, PUBLIC, SETTINGS, Phone, PushService, push_service
from tests.support.replicas import replicas
from tests.support.waiting import PATIENCE_SECONDS, wait_until


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as service:
        yield service


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path, **SETTINGS) as api, model_server() as model:
        deploy(api.services.rollouts, model)
        wait_until(lambda: api.services.router.split(ModelType.SMS))
        yield api


def registered(api: RunningApi, user: str, phone: Phone) -> httpx.Response:
    with http(api, user) as client:
        return client.post("/api/v2/inbox/push/phones", json=phone.subscription())


def test_a_phone_whose_subscription_cannot_be_read_is_listed_and_registered_anew(
    api: RunningApi, service: PushService
) -> None:
    carl, other = Phone(f"{service.url}/carl"), Phone(f"{service.url}/other")
    for phone in (carl, other):
        assert registered(api, "carl", phone).status_code == 201
    with api.services.sessions() as session:
        row = session.scalars(select(PushSubscription).order_by("created_at")).first()
        assert row is not None
        row.sealed = row.sealed[:-1]
        session.commit()
    assert [one["service"] for one in phones_of(api, "carl")["phones"]] == ["", "127.0.0.1"]
    assert registered(api, "mallory", carl).status_code == 409
    scan(api, "carl", COPY)
    api.clock.move_on(86400)
    confirmed(api)
    settled(api)
    assert attempts(api, "delivered") >= 1, "the other phone is woken"
    assert registered(api, "carl", carl).status_code == 201
    assert [one["service"] for one in phones_of(api, "carl")["phones"]] == ["127.0.0.1"] * 2


def phones_of(api: RunningApi, user: str) -> dict[str, Any]:
    with http(api, user) as client:
        found: dict[str, Any] = client.get("/api/v2/inbox/push").json()["data"]
        return found


def attempts(api: RunningApi, outcome: str) -> float:
    page = httpx.get(f"{api.url}/metrics", trust_env=False, timeout=PATIENCE_SECONDS).text
    found = re.search(rf'shield_push_attempts_total\{{outcome="{outcome}"\}} ([0-9.]+)', page)
    return float(found[1]) if found else 0.0


def test_who_was_told_harmless_and_who_reported_are_woken_without_a_word_of_the_message(
    api: RunningApi, service: PushService
) -> None:
    carl, ann = Phone(f"{service.url}/carl"), Phone(f"{service.url}/ann")
    assert phones_of(api, "carl") == {"publicKey": PUBLIC, "phones": []}
    assert registered(api, "carl", carl).status_code == 201
    assert registered(api, "carl", carl).status_code == 201, "may be repeated"
    assert registered(api, "ann", ann).status_code == 201
    assert len(phones_of(api, "carl")["phones"]) == 1
    before = attempts(api, "delivered")
    scan(api, "carl", COPY)
    decide(api, report(api, "ann", SCAM).id)
    decide(api, report(api, "cat", SCAM).id, reviewer="otto")
    wait_until(lambda: {path for path, _, _ in service.calls} == {"/carl", "/ann"})
    told = {path: (headers, body) for path, headers, body in service.calls}
    headers, body = told["/carl"]
    with api.client("carl") as client:
        (notice,) = client.inbox().notices
    assert carl.opened(body) == {"kind": "warning", "notice": notice.id}
    assert ann.opened(told["/ann"][1])["kind"] == "news"
    assert len(body) == len(told["/ann"][1]), "the push service cannot tell a warning from news"
    with pytest.raises(Exception, match=r".*"):
        ann.opened(body)
    assert headers["content-encoding"] == "aes128gcm"
    assert 0 < int(headers["ttl"]) <= KEPT_SECONDS
    for number in range(len(service.calls)):
        claims = service.claims(number)
        assert claims["sub"] == "mailto:ops@example.org"
        assert 0 < claims["exp"] - api.clock().timestamp() < 86400
    wait_until(lambda: attempts(api, "delivered") >= before + 2)


def test_what_is_read_or_taken_back_wakes_nobody_and_a_busy_service_is_asked_again(
    api: RunningApi, service: PushService
) -> None:
    carl = Phone(f"{service.url}/carl")
    registered(api, "carl", carl)
    scan(api, "carl", COPY)
    service.statuses += [503, 429]
    confirmed(api)
    for attempts in (1, 2, 3):
        wait_until(lambda attempts=attempts: len(service.calls) == attempts)  # type: ignore[misc]
        _rested(api)
    assert carl.opened(service.calls[2][2])["kind"] == "warning"
    service.statuses += [503]
    with api.client("rita", "reviewer") as rita:
        rita.undo_known(rita.known().items[0].id, "a mistake")
    wait_until(lambda: len(service.calls) == 4)
    with api.client("carl") as client:
        client.mark_read([notice.id for notice in client.inbox().notices])
    _rested(api)
    wait_until(lambda: _waiting(api) == 0)
    assert len(service.calls) == 4


def _rested(api: RunningApi) -> None:
    """Let the longest pause after a failure pass."""
    wait_until(lambda: not _leased(api))
    api.clock.move_on(4400)
    api.services.posted.ring()


def _waiting(api: RunningApi) -> int:
    with api.services.reading() as session:
        waiting = select(func.count()).select_from(OutboxRow).where(OutboxRow.kind == "push")
        return session.scalar(waiting) or 0


def _leased(api: RunningApi) -> bool:
    with api.services.reading() as session:
        held = select(OutboxRow.id).where(
            OutboxRow.kind == "push", OutboxRow.leased_until.is_not(None)
        )
        return session.scalar(held.limit(1)) is not None


def test_a_phone_that_has_unsubscribed_or_is_erased_is_forgotten(
    api: RunningApi, service: PushService
) -> None:
    registered(api, "carl", Phone(f"{service.url}/gone"))
    registered(api, "cleo", Phone(f"{service.url}/cleo"))
    for user in ("carl", "cleo"):
        scan(api, user, COPY)
    phones = phones_of(api, "cleo")["phones"]
    assert [phone["service"] for phone in phones] == ["127.0.0.1"]
    with http(api, "carl") as other:
        assert other.delete(f"/api/v2/inbox/push/phones/{phones[0]['id']}").status_code == 404
    with http(api, "cleo") as cleo:
        assert cleo.delete(f"/api/v2/inbox/push/phones/{phones[0]['id']}").status_code == 200
    service.statuses += [410]
    confirmed(api)
    wait_until(lambda: phones_of(api, "carl")["phones"] == [])
    settled(api)
    assert [path for path, _, _ in service.calls] == ["/gone"]
    registered(api, "carl", Phone(f"{service.url}/again"))
    with api.services.reading() as session:
        kept = session.scalars(select(PushSubscription.sealed)).all()
        assert len(kept) == 1
        assert b"127.0.0.1" not in kept[0]
    assert reseal(api.services) == 0, "sealed with the active key"
    with api.client("carl") as carl:
        carl.erase_me()
    with api.services.reading() as session:
        assert session.scalars(select(PushSubscription.id)).all() == []


def test_a_phone_of_a_former_key_is_let_go_and_the_newest_ten_are_kept(
    api: RunningApi, service: PushService
) -> None:
    for number in range(12):
        registered(api, "carl", Phone(f"{service.url}/{number}"))
        api.clock.move_on(1)
    assert len(phones_of(api, "carl")["phones"]) == 10
    with api.services.sessions() as session:
        for row in session.scalars(select(PushSubscription)):
            row.server_key = new_key()[1]
        session.commit()
    scan(api, "carl", COPY)
    confirmed(api)
    wait_until(lambda: phones_of(api, "carl")["phones"] == [])
    assert service.calls == []


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("https://169.254.169.254/latest", "not a public address"),
        ("https://[::ffff:10.0.0.1]/x", "not a public address"),
        ("http://push.example/x", "write https"),
        ("https://push.example:8443/x", "port 443"),
        ("https://user:word@push.example/x", "leave out user"),
        ("ftp://push.example/x", "write https"),
        ("https:///x", "write https"),
        ("https://push.example/" + "x" * 2000, "2000"),
    ],
)
def test_where_a_phone_may_not_be(endpoint: str, why: str, tmp_path: Path) -> None:
    with running_api(tmp_path, **{**SETTINGS, "push_networks": []}) as api:
        refused = registered(api, "eve", Phone(endpoint))
        assert refused.status_code == 422
        assert why in str(refused.json())


def test_a_name_that_leads_inside_is_not_called(tmp_path: Path) -> None:
    """What is registered may be public then, and lead inside when it is called."""
    with running_api(tmp_path, **{**SETTINGS, "push_networks": []}) as api:
        phone = Phone("https://localhost/x")
        assert registered(api, "carl", phone).status_code == 201
        key = push_key(api.services.settings)
        assert key is not None
        came = send(
            key,
            PushRequest.model_validate(phone.subscription()),
            b"{}",
            api.clock(),
            ttl_seconds=60,
            networks=[],
            timeout_seconds=5,
        )
    assert came.status is None
    assert "not a public address" in came.said
    assert "SHIELD_API_PUSH_NETWORKS" in came.said


def test_another_s_phone_is_not_taken_over_and_bad_keys_are_refused(
    api: RunningApi, service: PushService
) -> None:
    phone = Phone(f"{service.url}/carl")
    registered(api, "carl", phone)
    assert registered(api, "eve", Phone(phone.endpoint)).status_code == 409
    assert registered(api, "ann", phone).status_code == 201, "one phone, another account"
    assert phones_of(api, "carl")["phones"] == []
    good = phone.subscription()
    for keys in (
        {**good["keys"], "auth": "AAAA"},
        {**good["keys"], "p256dh": "A" * 87},
        {**good["keys"], "p256dh": "!!"},
        {"auth": good["keys"]["auth"]},
    ):
        with http(api, "eve") as eve:
            refused = eve.post("/api/v2/inbox/push/phones", json={**good, "keys": keys})
        assert refused.status_code == 422, keys


def test_without_a_key_nobody_is_woken_and_a_wrong_setting_is_one_clear_sentence(
    tmp_path: Path,
) -> None:
    with running_api(tmp_path) as api:
        assert phones_of(api, "carl")["publicKey"] is None
        refused = registered(api, "carl", Phone("https://push.example/x"))
        assert refused.status_code == 404
        assert "SHIELD_API_PUSH_KEY" in refused.json()["detail"]
    with pytest.raises(Misconfigured, match="shieldctl push key"):
        push_key(settings_for(tmp_path, push_key="no key", push_contact="mailto:a@b.example"))
    for contact in (None, "ops", "http://plain.example"):
        with pytest.raises(Misconfigured, match="SHIELD_API_PUSH_CONTACT"):
            push_key(settings_for(tmp_path, push_key=KEY, push_contact=contact))


def test_what_a_killed_process_was_sending_is_sent_by_the_next(
    tmp_path: Path, service: PushService
) -> None:
    settings = {
        "SHIELD_API_PUSH_KEY": KEY,
        "SHIELD_API_PUSH_CONTACT": "mailto:ops@example.org",
        "SHIELD_API_PUSH_NETWORKS": "127.0.0.0/8",
        "SHIELD_API_OUTBOX_LEASE_SECONDS": "1",
    }
    carl = Phone(f"{service.url}/carl")
    with replicas(tmp_path, 1, sqlite=True, **settings) as world:
        with httpx.Client(
            base_url=world.urls[0],
            headers={"Authorization": f"Bearer {world.at(0).token('carl')}"},
            trust_env=False,
        ) as client:
            client.post("/api/v2/inbox/push/phones", json=carl.subscription()).raise_for_status()
        service.open.clear()
        decided(world, 0)
        wait_until(lambda: service.calls, "nobody was called")
        os.kill(world.processes[0].pid, signal.SIGKILL)
        world.processes[0].wait(timeout=PATIENCE_SECONDS)
        service.open.set()
        world.start()
        engine = create_engine(world.database_url)

        def done() -> bool:
            with engine.connect() as looking:
                told = looking.scalars(select(Notice.id).where(Notice.user_id == "carl")).all()
                waits = select(OutboxRow.id).where(OutboxRow.kind == "push")
                return bool(told) and looking.scalar(waits) is None

        wait_until(done)
        engine.dispose()
    assert len(service.calls) > 1, "what was begun is sent again"
    assert {carl.opened(body)["kind"] for _, _, body in service.calls} == {"warning"}
    assert len({carl.opened(body)["notice"] for _, _, body in service.calls}) == 1


def test_the_envelope_is_that_of_the_standard() -> None:
    """Opens the example of RFC 8291, section 5, with what opens ours in these tests."""

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    body = raw(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tl"
        "zAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    secret = int.from_bytes(raw("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big")
    phone = Phone("x", ec.derive_private_key(secret, ec.SECP256R1()), raw("BTBZMqHH6r4Tts7J_aSIgg"))
    opened = http_ece.decrypt(
        body, private_key=phone.key, auth_secret=phone.secret, version="aes128gcm"
    )
    assert opened == b"When I grow up, I want to be a watermelon"
