"""The judge on the phone, as the API hands it out and hears of it."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, update

from api.device.signing import CONTEXT, KNOWN_CONTEXT
from api.kit.idempotency import RememberedAnswer
from api.metrics.history import history
from api.rollouts.evidence import of_version
from api.tables import Feedback
from shield.labels import FeedbackType, ModelType, ScanType
from shield.packages import Trust, push
from shield.wire import KnownStanding, KnownStatement, MetricRead
from tests.integration.api.conftest import wait_for_split
from tests.integration.api.steps import decide, report, scan
from tests.support.api import RunningApi, running_api
from tests.support.arms import model_server
from tests.support.desk import signed_in
from tests.support.judge import make_stable, version_with_judge
from tests.support.packages import SignedPackage, linear_package
from tests.support.waiting import PATIENCE_SECONDS, wait_until


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SignedPackage:
    package = version_with_judge(tmp_path / "package", random=True)
    monkeypatch.setenv("SHIELD_TRUSTED_KEYS", str(package.trusted_keys))
    monkeypatch.setenv("SHIELD_PAGES_TOKEN_LOGIN", "true")
    return package


@pytest.fixture
def api(tmp_path: Path, database_url: str, made: SignedPackage) -> Iterator[RunningApi]:
    """An API whose stable SMS version is `made`; all messages that say `win` are scams to it."""
    with ExitStack() as stack:
        running = stack.enter_context(running_api(tmp_path / "api", database_url))
        url = stack.enter_context(model_server(ModelType.SMS))
        push(running.services.artifacts, made.package.path)
        make_stable(running.services.rollouts, "sms-v1", made.package, url=url)
        wait_for_split(running)
        yield running


def phone(api: RunningApi, subject: str = "ann", *roles: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {api.token(subject, *roles)}"}
    return httpx.Client(
        base_url=f"{api.url}/api/v2/device",
        headers=headers,
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )


def released(client: httpx.Client) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = client.get("/text/release")
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    return json.loads(data["statement"]), data


def test_a_release_is_signed_and_every_file_is_what_it_names(
    api: RunningApi, made: SignedPackage
) -> None:
    with phone(api) as client:
        statement, data = released(client)
        keys = client.get("/keys").json()["data"]
        assert statement["package"] == made.package.digest
        assert (statement["version"], statement["judge"]) == ("sms-v1", True)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(keys["releases"][data["keyId"]]))
        key.verify(base64.b64decode(data["signature"]), CONTEXT + data["statement"].encode())
        digest = made.package.digest.removeprefix("sha256:")
        manifest = client.get(f"/text/files/{digest}/manifest.json").content
        assert hashlib.sha256(manifest).hexdigest() == digest
        signature = json.loads(data["packageSignature"])
        assert signature["keyId"] in keys["packages"]
        assert Trust.from_directory(made.trusted_keys).holds(
            signature["keyId"], base64.b64decode(signature["signature"]), manifest
        )
        for name in ("device.json", "device.safetensors", "characters.json"):
            answer = client.get(f"/text/files/{digest}/{name}")
            expected = made.package.manifest.files[name]
            assert hashlib.sha256(answer.content).hexdigest() == expected
            assert "immutable" in answer.headers["Cache-Control"]
            again = client.get(
                f"/text/files/{digest}/{name}", headers={"If-None-Match": answer.headers["ETag"]}
            )
            assert again.status_code == 304
            plain = client.get(
                f"/text/files/{digest}/{name}", headers={"Accept-Encoding": "identity"}
            )
            assert plain.content == answer.content
            assert len(gzip.compress(plain.content)) <= 1_500_000
        for name in ("linear.safetensors", "samples.json", "manifest.sig"):
            assert client.get(f"/text/files/{digest}/{name}").status_code in (404, 422)
        assert client.get(f"/text/files/{'0' * 64}/device.json").status_code == 404


def test_an_undo_reaches_phones_with_a_higher_number(
    api: RunningApi, made: SignedPackage, tmp_path: Path
) -> None:
    other = linear_package(tmp_path / "other").package
    push(api.services.artifacts, other.path)
    with phone(api) as client, api.client("ada", "admin") as admin:
        first, _ = released(client)
        tag = client.get("/text/release").headers["ETag"]
        same = client.get("/text/release", headers={"If-None-Match": tag})
        assert same.status_code == 304
        make_stable(api.services.rollouts, "sms-v2", other, before=made.package)
        wait_until(
            lambda: released(client)[0]["version"] == "sms-v2", "the promotion never reached phones"
        )
        second, data = released(client)
        assert second["judge"] is False
        assert data["packageSignature"] is None
        admin.undo_rollout(ModelType.SMS, "it errs")
        third, data = released(client)
        assert (third["version"], third["judge"]) == ("sms-v1", True), (
            "at once, not some time later"
        )
        assert data["packageSignature"] is not None
    numbers = [int(str(each["number"])) for each in (first, second, third)]
    assert numbers == sorted(set(numbers)), numbers


def known_scams(client: httpx.Client) -> KnownStatement:
    """Return the known scams that phones are told, once their signature holds."""
    answer = client.get("/text/known")
    assert answer.status_code == 200, answer.text
    data, keys = answer.json()["data"], client.get("/keys").json()["data"]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(keys["releases"][data["keyId"]]))
    key.verify(base64.b64decode(data["signature"]), KNOWN_CONTEXT + data["statement"].encode())
    assert "parcel" not in answer.text
    assert (
        client.get("/text/known", headers={"If-None-Match": answer.headers["ETag"]}).status_code
        == 304
    )
    return KnownStatement.model_validate_json(data["statement"])


def test_what_reviewers_decide_is_on_the_phones_list_until_it_is_taken_back(
    api: RunningApi,
) -> None:
    text = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
    with phone(api) as client:
        first = known_scams(client)
        assert first.entries == []
        decide(api, report(api, "ben", text).id)
        assert known_scams(client).entries == [], "one reviewer alone tells phones nothing"
        api.clock.move_on(60)
        decide(api, report(api, "cat", text).id, reviewer="otto")
        decided = known_scams(client)
        (entry,) = decided.entries
        assert (len(entry.sketch), len(entry.hosts), entry.reporters) == (16, 1, 2)
        assert known_scams(client) == decided
        with api.client("rita", "reviewer") as rita:
            (row,) = [each for each in rita.known() if each.standing is KnownStanding.CONFIRMED]
            api.clock.move_on(60)
            rita.undo_known(row.id, "a mistake")
        taken_back = known_scams(client)
        assert taken_back.entries == []
        assert first.number < decided.number < taken_back.number
        other = client.get(f"/{ScanType.VOICE}/known").json()["data"]
        assert KnownStatement.model_validate_json(other["statement"]).entries == []


def test_scans_are_counted_in_lots_and_the_lot_is_taken_out(api: RunningApi) -> None:
    with phone(api) as client, phone(api, "rita", "reviewer") as reviewer:
        released(client)
        body = {"version": "sms-v1", "harmless": 60, "scam": 20, "unsure": 20}
        few = client.post("/text/counts", json=body | {"harmless": 0, "scam": 1, "unsure": 0})
        assert few.status_code == 422
        assert "20" in few.json()["message"]
        unknown = client.post("/text/counts", json=body | {"version": "sms-v9"})
        assert unknown.status_code == 422
        for _ in range(2):
            sent = client.post("/text/counts", json=body, headers={"Idempotency-Key": "once"})
            assert sent.status_code == 201, sent.text
        (row,) = reviewer.get("/text/counts").json()["data"]
        assert row["scans"] == 100
        assert row["shares"]["harmless"] == pytest.approx((0.6 - 0.25 / 3) / 0.75)
    metrics = httpx.get(f"{api.url}/metrics", trust_env=False).text
    assert 'shield_device_scans_total{answer="scam",model_type="sms",version="sms-v1"}' in metrics


def test_a_report_is_judged_again_and_disagreement_counts(api: RunningApi) -> None:
    said = {"version": "sms-v1", "verdict": "ham", "certainty": "sure"}
    body = {"scanType": "text", "text": "win a prize", "actualLabel": "spam", "device": said}
    with phone(api) as client, phone(api, "rita", "reviewer") as reviewer:
        released(client)
        first = client.post("/reports", json=body, headers={"Idempotency-Key": "a"})
        assert first.status_code == 201, first.text
        again = client.post("/reports", json=body, headers={"Idempotency-Key": "a"})
        assert again.json() == first.json()
        data = first.json()["data"]
        assert (data["verdict"], data["agrees"]) == ("spam", False)
        calm = {**body, "text": "see you at home", "comment": "my mother writes so"}
        assert client.post("/reports", json=calm).json()["data"]["agrees"] is True
        wrong = client.post("/reports", json={**body, "actualLabel": "phishing"})
        assert wrong.status_code == 422
        (row,) = reviewer.get("/text/counts").json()["data"]
        assert (row["judgedAgain"], row["disagreed"]) == (2, 1)
        scans = httpx.get(
            f"{api.url}/api/v2/scans", headers=client.headers, trust_env=False
        ).json()["data"]
        assert sorted(scan["feedback"]["feedbackType"] for scan in scans) == [
            "confirmed",
            "false_negative",
        ]


def test_a_report_whose_first_try_was_killed_is_kept_by_the_phone_and_taken_later(
    api: RunningApi,
) -> None:
    said = {"version": "sms-v1", "verdict": "ham", "certainty": "sure"}
    body = {"scanType": "text", "text": "win a prize", "actualLabel": "spam", "device": said}
    with phone(api) as client:
        released(client)
        taken = client.post("/reports", json=body, headers={"Idempotency-Key": "a"})
        assert taken.status_code == 201, taken.text
        with api.services.sessions() as session:  # as a process leaves it that is killed meanwhile
            session.execute(update(RememberedAnswer).values(answer={}))
            session.commit()
        refused = client.post("/reports", json=body, headers={"Idempotency-Key": "a"})
        assert refused.status_code == 503, "a 4xx would make the phone drop it"
        assert refused.headers["Retry-After"] == "5"
        assert refused.headers["Content-Type"] == "application/problem+json"
        problem = refused.json()
        assert (problem["type"], problem["retryAfterSeconds"]) == ("/problems/unavailable", 5)
        assert "still running" in problem["detail"]
        api.clock.move_on(61)
        again = client.post("/reports", json=body, headers={"Idempotency-Key": "a"})
        assert again.status_code == 201, again.text


def feedback_metric(api: RunningApi, model_type: ModelType | None = None) -> MetricRead:
    with api.client("rita", "reviewer") as rita:
        metrics = rita.stats(model_type=model_type).metrics
    return next(each for each in metrics if each.name == "feedbackPerThousandScans")


def counts(harmless: int, scam: int, unsure: int) -> dict[str, Any]:
    return {"version": "sms-v1", "harmless": harmless, "scam": scam, "unsure": unsure}


def on_phone(text: str, label: str) -> dict[str, Any]:
    """Return a report on a message that the phone called harmless."""
    said = {"version": "sms-v1", "verdict": "ham", "certainty": "sure"}
    return {"scanType": "text", "text": text, "actualLabel": label, "device": said}


def test_scans_on_phones_are_in_the_denominator_of_the_reports_about_them(api: RunningApi) -> None:
    with phone(api) as client:
        released(client)
        scan(api, "ann", "see you at lunch")
        report(api, "ben", "see you at dinner", FeedbackType.FALSE_NEGATIVE)
        client.post("/reports", json=on_phone("win a prize", "spam")).raise_for_status()
        early = feedback_metric(api)
        assert early.n == 3, "a reported answer is one, before the lot with it is full"
        assert early.value == pytest.approx(1000 * 2 / 3)
        client.post("/text/counts", json=counts(70, 20, 8)).raise_for_status()
        client.post("/reports", json=on_phone("see you at home", "ham")).raise_for_status()
        told = feedback_metric(api)
        assert told.n == 100
        assert told.value == pytest.approx(20)
        assert "1 more were confirmed" in told.note
        assert "98 of the scans" in told.note
        assert feedback_metric(api, ModelType.SMS).n == 100
        assert feedback_metric(api, ModelType.VOICE).n == 0
        api.clock.move_on(10 * 86400)
        client.post("/text/counts", json=counts(20, 0, 0)).raise_for_status()
        assert feedback_metric(api).n == 120
        with api.services.sessions() as session:
            points = history(session, api.clock(), None)["feedbackPerThousandScans"]
        assert [(each.n, round(each.value or 0)) for each in points[-2:]] == [(100, 20), (20, 0)]
        api.clock.move_on(25 * 86400)
        assert feedback_metric(api).n == 20, "the counts of thirty days"


def test_a_message_picked_for_a_report_is_no_evidence_of_the_version(api: RunningApi) -> None:
    with phone(api) as client, api.client("rita", "reviewer") as rita:
        released(client)
        scan(api, "ann", "see you at lunch")
        client.post("/reports", json=on_phone("a lie, and no prize", "spam")).raise_for_status()
        (row,) = rita.stats().by_version
        assert (row.scans, row.reports, row.false_negative_claims) == (1, 0, 0)
        with api.services.sessions() as session:
            since = api.clock() - timedelta(days=1)
            seen, _ = of_version(session, ModelType.SMS, "sms-v1", since, shadow=False)
            assert (seen.exposures, seen.reports, seen.users) == (1, 0, 1)
            audited = session.scalars(select(Feedback.source)).all()
        assert list(audited) == ["report"]
        (counted,) = rita.device_counts()
        assert (counted.judged_again, counted.disagreed) == (1, 0)
        assert len(rita.pending().items) == 1, "reviewers decide on it like on any other"


def test_the_statistics_page_shows_what_phones_answered(api: RunningApi) -> None:
    with phone(api) as client:
        released(client)
        client.post("/text/counts", json=counts(60, 20, 20)).raise_for_status()
        client.post("/reports", json=on_phone("win a prize", "spam")).raise_for_status()
    with signed_in(api) as browser:
        page = browser.get("/review/statistics").text
    table = page[page.index('id="phones"') :]
    cells = re.findall(r'<td class="number">([^<]*)</td>', table[: table.index("</table>")])
    assert cells == ["100", "69%", "16%", "16%", "1", "1"]
    assert "Phones judged 100 of the scans" in page
