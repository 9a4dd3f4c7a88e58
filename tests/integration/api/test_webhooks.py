"""Webhooks: signed, retried, replayable, and of no use to look into our own network."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook as Receiver

from api.privacy import retention
from api.tables import OutboxRow, Webhook, WebhookDelivery, WebhookMessage
from api.webhooks.addresses import Refused, check_url, resolve
from api.webhooks.sending import new_secret, send
from shield.errors import Forbidden, Invalid, NotFound
from shield.labels import ModelType
from shield.wire import (
    DeliveryOutcome,
    ReplayRequest,
    VersionRequest,
    WebhookRead,
    WebhookRequest,
)
from tests.integration.api.steps import decide, report
from tests.integration.api.test_known import SCAM, confirmed
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.http_server import Quiet, serving
from tests.support.rollouts import spec, version
from tests.support.waiting import wait_until
from tests.support.worlds import QUICK, World


@dataclass
class Site:
    """A receiver that keeps what it is told."""

    url: str
    statuses: list[int] = field(default_factory=list)
    """What it answers, in order; 204 once they are used up."""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """Return what it was told; each must be signed, by the judgement of the library."""
        return [Receiver(secret).verify(body, headers) for headers, body in self.heard]


@contextmanager
def site() -> Iterator[Site]:
    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            names = ("webhook-id", "webhook-timestamp", "webhook-signature", "host")
            found.heard.append(({name: self.headers[name] for name in names}, body))
            status = found.statuses.pop(0) if found.statuses else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{found.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler) as url:
        found = Site(url)
        yield found


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path, webhook_networks=["127.0.0.0/8"]) as api, model_server() as model:
        deploy(api.services.rollouts, model)
        wait_until(lambda: api.services.router.split(ModelType.SMS))
        yield api


def add(api: RunningApi, url: str, **more: Any) -> WebhookRead:
    with api.client("root", "admin") as root:
        return root.add_webhook(WebhookRequest(url=url, **more))


def secret_of(hook: WebhookRead) -> str:
    assert hook.secret is not None
    return hook.secret


def test_decisions_and_known_campaigns_are_told_signed_and_without_text(api: RunningApi) -> None:
    with site() as all_of_it, site() as known_only:
        hook = add(api, all_of_it.url + "/hook?x=1")
        other = add(api, known_only.url, events=["known.confirmed"], with_text=True)
        confirmed(api)
        wait_until(lambda: len(all_of_it.heard) >= 4 and known_only.heard)
        told = all_of_it.verified(secret_of(hook))
        of = {(event["type"], event["data"]["actor"]): event["data"] for event in told}
        assert sorted(of) == [
            ("feedback.approve", "otto"),
            ("feedback.approve", "rita"),
            ("known.checking", "rita"),
            ("known.confirmed", "otto"),
        ]
        assert "parcel" not in str(told)
        assert "label" not in of["known.checking", "rita"], "the second look is blind"
        assert of["known.confirmed", "otto"]["label"] == "spam"
        (event,) = known_only.verified(secret_of(other))
        assert "parcel" in event["data"]["text"]
        ids = {headers["webhook-id"] for headers, _ in all_of_it.heard}
        assert len(ids) == 4
        with pytest.raises(Exception, match="signature"):
            known_only.verified(secret_of(hook))
    with api.client("root", "admin") as root:
        assert all(one.secret is None for one in root.webhooks())
        entries = [entry.action for entry in root.audit(limit=100)]
        assert entries.count("webhook.add") == 2
    with api.services.reading() as session:
        kept = session.scalars(select(Webhook.secret_sealed)).all()
        assert all(secret_of(hook).encode() not in sealed for sealed in kept)


def test_versions_and_what_becomes_of_their_rollouts_are_told(api: RunningApi) -> None:
    world = World(spec("sms-v1", steps=QUICK, guard_seconds=100))
    world.now = api.clock() - timedelta(hours=1)
    world.settle().promote("sms-v2").wait(200).ask(undo="1", undo_reason="It flags my bank.")
    store = api.services.rollouts
    store.change_spec("sms", lambda _: world.spec)
    store.write_status(store.get("sms"), world.status)
    uid = store.get("sms").uid
    with site() as receiver, api.client("root", "admin") as root:
        hook = add(api, receiver.url, events=["version.*", "rollout.*"])
        with api.client("pipeline", "pipeline") as pipeline:
            made = version("sms-v2")
            request = VersionRequest(digest=made.digest, uri=made.uri, trained_at=api.clock())
            pipeline.register_version(ModelType.SMS, request)
        root.pause_rollout(ModelType.SMS, "we look at it")
        root.resume_rollout(ModelType.SMS)
        with api.client("operator", "operator") as operator:
            for transition in world.status.history:
                operator.record_transition(ModelType.SMS, uid, transition)
        wanted = {"version.register", "rollout.pause", "rollout.resume"} | {
            f"rollout.{transition.action}" for transition in world.status.history
        }
        assert {"rollout.promote", "rollout.undo"} <= wanted
        wait_until(
            lambda: {event["type"] for event in receiver.verified(secret_of(hook))} >= wanted
        )


def test_what_is_not_taken_is_sent_again_and_can_be_replayed(api: RunningApi) -> None:
    with site() as receiver:
        receiver.statuses = [500, 302]
        hook = add(api, receiver.url, events=["feedback.*"])
        decide(api, report(api, "ann", SCAM).id)
        for attempt in (1, 2):
            wait_until(lambda seen=attempt: tried(api, hook) == seen)  # type: ignore[misc]
            if attempt == 1:
                assert receiver.verified(secret_of(hook))[0]["type"] == "feedback.approve"
            api.clock.move_on(400)
        wait_until(lambda: outcomes(api, hook) == [DeliveryOutcome.DELIVERED])
        assert len(receiver.heard) == 3, "a redirect is not followed"
        assert len({body for _, body in receiver.heard}) == 1
        assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 1
        with api.client("root", "admin") as root:
            assert root.replay_webhook(hook.id, ReplayRequest()) == 0, "nothing was given up"
            message = root.deliveries(hook.id).items[0].message_id
            assert root.replay_webhook(hook.id, ReplayRequest(messages=[message])) == 1
            wait_until(lambda: len(receiver.heard) == 4)
            wait_until(lambda: outcomes(api, hook) == [DeliveryOutcome.DELIVERED])
            assert root.replay_webhook(hook.id, ReplayRequest(since=api.clock())) == 0
            assert root.remove_webhook(hook.id).url == receiver.url
            with pytest.raises(NotFound):
                root.test_webhook(hook.id)


def tried(api: RunningApi, hook: WebhookRead) -> int:
    with api.client("root", "admin") as root:
        return max([one.attempts for one in root.deliveries(hook.id)], default=0)


def outcomes(api: RunningApi, hook: WebhookRead) -> list[DeliveryOutcome]:
    with api.client("root", "admin") as root:
        return [one.outcome for one in root.deliveries(hook.id)]


def test_a_receiver_that_is_gone_is_told_no_more_and_an_end_is_put_to_trying(
    api: RunningApi,
) -> None:
    with site() as receiver:
        receiver.statuses = [410]
        hook = add(api, receiver.url)
        decide(api, report(api, "ann", SCAM).id)
        wait_until(lambda: DeliveryOutcome.FAILED in outcomes(api, hook))
        with api.client("root", "admin") as root:
            assert root.webhooks()[0].gone_at is not None
            wait_until(lambda: idle(api))
            heard = len(receiver.heard)
            sent = root.replay_webhook(hook.id, ReplayRequest())
            assert sent >= 1
            wait_until(lambda: len(receiver.heard) == heard + sent)
            assert root.webhooks()[0].gone_at is None


def test_what_waits_for_a_receiver_that_goes_is_not_lost(api: RunningApi) -> None:
    with site() as receiver:
        receiver.statuses = [500, 500]
        hook = add(api, receiver.url, events=["feedback.*"])
        decide(api, report(api, "ann", SCAM).id)
        wait_until(lambda: tried(api, hook) == 1)
        api.clock.move_on(10)
        wait_until(lambda: tried(api, hook) == 2)
        decide(api, report(api, "bob", "Your account is closed unless you answer today").id)
        wait_until(lambda: len(outcomes(api, hook)) == 2 and idle(api))
        assert len(receiver.heard) == 2, "the second one rests"
        receiver.statuses = [410]
        api.clock.move_on(400)
        wait_until(lambda: outcomes(api, hook) == [DeliveryOutcome.FAILED] * 2)
        with api.client("root", "admin") as root:
            assert root.webhooks()[0].waiting == 0
            assert root.replay_webhook(hook.id, ReplayRequest()) == 2
        wait_until(lambda: outcomes(api, hook) == [DeliveryOutcome.DELIVERED] * 2)
        assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 2


def test_a_name_with_other_letters_is_called_by_its_ascii_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.getaddrinfo

    def resolver(host: str, *rest: Any, **more: Any) -> Any:  # no real one knows this name
        return real("127.0.0.1" if host.endswith(".example") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with site() as receiver:
        url = receiver.url.replace("127.0.0.1", "b\u00fccher.example")
        came = send(
            url,
            new_secret(),
            "msg_1",
            {},
            datetime.now(UTC),
            networks=["127.0.0.0/8"],
            timeout_seconds=30,
        )
        assert came.delivered, came.said
        assert receiver.heard[0][0]["host"].startswith("xn--bcher-kva.example:")
    with pytest.raises(Invalid, match="not the name of a host"):
        check_url("https://" + 70 * "\u00fc" + ".example/", [])


def idle(api: RunningApi) -> bool:
    with api.services.reading() as session:
        return session.scalar(select(OutboxRow.id).where(OutboxRow.due_at.is_(None))) is None


@contextmanager
def dripping() -> Iterator[Site]:
    """Serve a receiver that answers a byte at a time, and never to the end."""
    listener, ended, threads = socket.create_server(("127.0.0.1", 0)), threading.Event(), []
    found = Site(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def drip(client: socket.socket) -> None:
        found.heard.append(({}, client.recv(65536)))
        client.sendall(b"HTTP/1.1 204 No Content\r\nX: ")
        with suppress(OSError), client:
            while not ended.wait(0.05):
                client.sendall(b"a")

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=drip, args=listener.accept()[:1]))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield found
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *threads):
            thread.join()


def test_a_receiver_that_drips_its_answer_holds_up_neither_us_nor_other_receivers(
    tmp_path: Path,
) -> None:
    changes: dict[str, Any] = {
        "webhook_networks": ["127.0.0.0/8"],
        "webhook_timeout_seconds": 0.5,
    }
    with running_api(tmp_path, **changes) as api, model_server() as model:
        deploy(api.services.rollouts, model)
        wait_until(lambda: api.services.router.split(ModelType.SMS))
        with dripping() as hostile, site() as honest, api.client("root", "admin") as root:
            first = add(api, hostile.url)
            add(api, honest.url)
            confirmed(api)
            wait_until(lambda: len(honest.heard) >= 4)
            assert len(hostile.heard) <= 2, "one at a time is tried while a receiver fails"
            wait_until(lambda: any("TimeoutError" in one.said for one in root.deliveries(first.id)))


def test_trying_out_says_what_came_of_it_at_once(api: RunningApi) -> None:
    with site() as receiver, api.client("root", "admin") as root:
        hook = add(api, receiver.url)
        assert root.test_webhook(hook.id).outcome is DeliveryOutcome.DELIVERED
        assert receiver.verified(secret_of(hook))[0]["type"] == "webhook.test"
        receiver.statuses = [302]
        came = root.test_webhook(hook.id)
        assert (came.outcome, "Redirects are not followed" in came.said) == (
            DeliveryOutcome.FAILED,
            True,
        )
    with api.client("root", "admin") as root:
        assert "No answer" in root.test_webhook(hook.id).said
    with api.client("rita", "reviewer") as rita, pytest.raises(Forbidden):
        rita.webhooks()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/", None),
        ("https://10.0.0.7/", "not a public address"),
        ("https://169.254.169.254/latest/meta-data", "not a public address"),
        ("https://[::1]/", "not a public address"),
        ("https://[::ffff:10.0.0.7]/", "not a public address"),
        ("https://[64:ff9b::a00:7]/", "not a public address"),
        ("https://[2002:a00:7::]/", "not a public address"),
        ("https://100.64.0.1/", "not a public address"),
        ("https://0.0.0.0/", "not a public address"),
        ("https://224.0.0.1/", "not a public address"),
        ("https://user:password@example.org/", "leave out user"),
        ("https://example.org:99999/", "Port out of range"),
        ("https://exa mple.org/", "blanks"),
        ("ftp://example.org/", "write https"),
        ("https://", "write https"),
    ],
)
def test_where_a_webhook_may_not_lead(url: str, why: str | None, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=why or "in the clear"):
        check_url(url, [])


def test_a_name_counts_by_what_it_resolves_to_and_by_that_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolver(*addresses: str) -> None:
        """Let the name stand for these addresses, one at each question, as rebinding does."""
        waiting = list(addresses)

        def answer(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
            if host != "hook.example":
                return real(host, port, *rest, **more)
            asked.append(host)
            address = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            return [(kind, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", answer)

    resolver("10.0.0.7")
    with pytest.raises(Refused, match=r"hook.example is 10.0.0.7"):
        resolve("https://hook.example/", [])
    resolver("93.184.215.14")
    target = resolve("https://hook.example/a?b=1", [])
    assert (target.pinned, target.authority) == ("https://93.184.215.14:443/a?b=1", "hook.example")
    with pytest.raises(Refused, match="not a public address"):
        resolve("http://hook.example/", [])  # in the clear only to networks that are allowed
    with site() as receiver, site() as inside:
        port = receiver.url.rpartition(":")[2]
        asked.clear()
        resolver("127.0.0.1", "10.0.0.7")
        came = send(
            f"http://hook.example:{port}/",
            "whsec_" + "A" * 43 + "=",
            "msg_1",
            {},
            datetime.now(UTC),
            networks=["127.0.0.0/8"],
            timeout_seconds=10,
        )
        assert came.delivered
        assert asked == ["hook.example"], "asked once: what was looked at is what is connected to"
        assert receiver.heard[0][0]["host"] == f"hook.example:{port}"
        assert not inside.heard


def test_old_events_are_forgotten(api: RunningApi) -> None:
    with site() as receiver:
        add(api, receiver.url)
        decide(api, report(api, "ann", SCAM).id)
        wait_until(lambda: receiver.heard and idle(api))
        api.clock.move_on(31 * 86400)
        retention.look_after(api.services)
        with api.services.reading() as session:
            kinds = session.scalars(
                select(WebhookMessage.kind).join(
                    WebhookDelivery, WebhookDelivery.message_id == WebhookMessage.id
                )
            ).all()
            assert "feedback.approve" not in kinds
