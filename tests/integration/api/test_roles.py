"""Every route with every role: one table, and no route outside it."""

import re
from typing import Any

import httpx
import pytest

from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS

ANYONE = {"user", "reviewer", "admin"}
REVIEWERS = {"reviewer", "admin"}
STAFF = {"reviewer", "admin", "pipeline"}
TRAINERS = {"admin", "pipeline"}
ADMIN = {"admin"}
OPERATOR = {"operator"}
OPEN = {"nobody", *ANYONE, "pipeline", "operator"}

TABLE: dict[tuple[str, str], set[str]] = {
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/metrics"): OPEN,
    ("POST", "/api/v2/scans"): ANYONE,
    ("POST", "/api/v2/scans/mail"): ANYONE,
    ("GET", "/api/v2/scans/types"): ANYONE,
    ("GET", "/api/v2/scans"): ANYONE,
    ("GET", "/api/v2/scans/{scan_id}"): ANYONE,
    ("GET", "/api/v2/device/keys"): ANYONE,
    ("POST", "/api/v2/device/reports"): ANYONE,
    ("GET", "/api/v2/device/{scan_type}/release"): ANYONE,
    ("GET", "/api/v2/device/{scan_type}/known"): ANYONE,
    ("GET", "/api/v2/device/{scan_type}/encoder/{digest}"): ANYONE,
    ("GET", "/api/v2/device/{scan_type}/encoder/{digest}/{file}"): ANYONE,
    ("GET", "/api/v2/device/{scan_type}/files/{digest}/{file}"): ANYONE,
    ("POST", "/api/v2/device/{scan_type}/counts"): ANYONE,
    ("GET", "/api/v2/device/{scan_type}/counts"): STAFF,
    ("POST", "/api/v2/feedback"): ANYONE,
    ("GET", "/api/v2/feedback"): ANYONE,
    ("GET", "/api/v2/feedback/pending"): REVIEWERS,
    ("GET", "/api/v2/feedback/stats"): STAFF,
    ("GET", "/api/v2/feedback/export"): ADMIN,
    ("PUT", "/api/v2/feedback/{feedback_id}"): REVIEWERS,
    ("POST", "/api/v2/feedback/{feedback_id}/undo"): REVIEWERS,
    ("POST", "/api/v2/feedback/{feedback_id}/claim"): REVIEWERS,
    ("DELETE", "/api/v2/feedback/{feedback_id}/claim"): REVIEWERS,
    ("POST", "/api/v2/review/gold"): ADMIN,
    ("POST", "/api/v2/review/golden"): TRAINERS,
    ("GET", "/api/v2/review/golden/{model_type}"): TRAINERS,
    ("GET", "/api/v2/review/guide"): REVIEWERS,
    ("GET", "/api/v2/review/muted"): REVIEWERS,
    ("POST", "/api/v2/review/muted/{pseudonym}/unmute"): REVIEWERS,
    ("POST", "/api/v2/feedback/{feedback_id}/assign"): REVIEWERS,
    ("POST", "/api/v2/feedback/{feedback_id}/mute"): REVIEWERS,
    ("GET", "/api/v2/review/quality"): REVIEWERS,
    ("GET", "/api/v2/review/queues"): REVIEWERS,
    ("PUT", "/api/v2/review/queues/{name}"): ADMIN,
    ("POST", "/api/v2/review/queues/{name}/remove"): ADMIN,
    ("GET", "/api/v2/known"): REVIEWERS,
    ("GET", "/api/v2/feed"): OPEN,
    ("GET", "/api/v2/known/feed"): REVIEWERS,
    ("GET", "/api/v2/known/feeds"): REVIEWERS,
    ("POST", "/api/v2/known/feeds"): ADMIN,
    ("DELETE", "/api/v2/known/feeds/{feed_id}"): ADMIN,
    ("POST", "/api/v2/known/feeds/import"): ADMIN,
    ("GET", "/api/v2/known/{known_id}"): REVIEWERS,
    ("POST", "/api/v2/known/{known_id}/undo"): REVIEWERS,
    ("POST", "/api/v2/contests"): OPEN,
    ("POST", "/api/v2/contests/answer"): OPEN,
    ("POST", "/api/v2/contests/withdraw"): OPEN,
    ("GET", "/api/v2/contests"): REVIEWERS,
    ("GET", "/api/v2/contests/{contest_id}"): REVIEWERS,
    ("PUT", "/api/v2/contests/{contest_id}/answer"): REVIEWERS,
    ("POST", "/api/v2/webhooks"): ADMIN,
    ("GET", "/api/v2/webhooks"): ADMIN,
    ("DELETE", "/api/v2/webhooks/{webhook_id}"): ADMIN,
    ("POST", "/api/v2/webhooks/{webhook_id}/test"): ADMIN,
    ("GET", "/api/v2/webhooks/{webhook_id}/deliveries"): ADMIN,
    ("POST", "/api/v2/webhooks/{webhook_id}/replay"): ADMIN,
    ("GET", "/api/v2/inbox"): ANYONE,
    ("POST", "/api/v2/inbox/read"): ANYONE,
    ("GET", "/api/v2/inbox/push"): ANYONE,
    ("POST", "/api/v2/inbox/push/phones"): ANYONE,
    ("DELETE", "/api/v2/inbox/push/phones/{phone_id}"): ANYONE,
    ("POST", "/api/v2/batches/lease"): TRAINERS,
    ("POST", "/api/v2/batches/{batch_id}/renew"): TRAINERS,
    ("POST", "/api/v2/batches/{batch_id}/ack"): TRAINERS,
    ("POST", "/api/v2/batches/{batch_id}/release"): TRAINERS,
    ("GET", "/api/v2/batches"): STAFF,
    ("GET", "/api/v2/batches/{batch_id}"): STAFF,
    ("GET", "/api/v2/models/versions"): STAFF,
    ("GET", "/api/v2/models/history"): STAFF,
    ("POST", "/api/v2/models/rollback"): ADMIN,
    ("POST", "/api/v2/models/deploy"): ADMIN,
    ("GET", "/models/versions"): STAFF,
    ("GET", "/models/history"): STAFF,
    ("POST", "/models/rollback"): ADMIN,
    ("POST", "/models/deploy"): ADMIN,
    ("POST", "/api/v2/models/{model_type}/versions"): TRAINERS,
    ("GET", "/api/v2/models/{model_type}/versions"): STAFF,
    ("GET", "/api/v2/models/{model_type}/versions/{name}"): STAFF,
    ("POST", "/api/v2/models/{model_type}/versions/{name}/taint"): ADMIN,
    ("GET", "/api/v2/models/{model_type}/versions/{name}/compare/{other}"): STAFF,
    ("GET", "/api/v2/models/{model_type}/champion"): STAFF,
    ("GET", "/api/v2/models/{model_type}/ledger"): STAFF,
    ("GET", "/api/v2/models/{model_type}/drift"): TRAINERS,
    ("GET", "/api/v2/rollouts"): STAFF,
    ("GET", "/api/v2/rollouts/{model_type}"): STAFF,
    ("POST", "/api/v2/rollouts/{model_type}"): TRAINERS,
    ("PATCH", "/api/v2/rollouts/{model_type}"): ADMIN,
    ("POST", "/api/v2/rollouts/{model_type}/undo"): ADMIN,
    ("POST", "/api/v2/rollouts/{model_type}/abort"): ADMIN,
    ("POST", "/api/v2/models/{model_type}/versions/{name}/reinstate"): ADMIN,
    ("POST", "/api/v2/rollouts/{model_type}/pause"): ADMIN,
    ("POST", "/api/v2/rollouts/{model_type}/resume"): ADMIN,
    ("POST", "/api/v2/rollouts/{model_type}/promote"): ADMIN,
    ("GET", "/api/v2/rollouts/{model_type}/evidence"): {"reviewer", "admin", "operator"},
    ("POST", "/api/v2/rollouts/{model_type}/transitions"): OPERATOR,
    ("POST", "/api/v2/runs"): TRAINERS,
    ("PATCH", "/api/v2/runs/{run_id}"): TRAINERS,
    ("GET", "/api/v2/runs"): STAFF,
    ("GET", "/api/v2/runs/{run_id}"): STAFF,
    ("GET", "/api/v2/users/me"): ANYONE,
    ("POST", "/api/v2/users/me/pairing"): REVIEWERS,
    ("POST", "/api/v2/users/invitations"): ADMIN,
    ("PUT", "/api/v2/users/me"): ANYONE,
    ("DELETE", "/api/v2/users/me"): ANYONE,
    ("DELETE", "/api/v2/scans"): ANYONE,
    ("DELETE", "/api/v2/scans/{scan_id}"): ANYONE,
    ("GET", "/api/v2/lineage/{kind}/{subject_id}"): STAFF,
    ("POST", "/api/v2/lineage/{kind}/{subject_id}/withdraw"): ADMIN,
    ("GET", "/api/v2/names/{kind}"): ANYONE,
    ("GET", "/api/v2/audit"): REVIEWERS,
    ("GET", "/api/v2/audit/verify"): REVIEWERS,
}
BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/api/v2/feedback/{feedback_id}"): {"action": "approve"},
    ("POST", "/api/v2/feedback/{feedback_id}/undo"): {},
    ("POST", "/api/v2/known/{known_id}/undo"): {"reason": "a mistake"},
    ("POST", "/api/v2/rollouts/{model_type}/pause"): {},
    ("POST", "/api/v2/rollouts/{model_type}/resume"): {},
    ("PUT", "/api/v2/users/me"): {"auditConsent": False},
    ("POST", "/api/v2/inbox/read"): {"upTo": "0"},
}
VALUES = {"model_type": "voice", "name": "voice-v9", "other": "voice-v8", "kind": "feedback"}


def routes(api: RunningApi) -> set[tuple[str, str]]:
    document = httpx.get(
        f"{api.url}/openapi.json", trust_env=False, timeout=PATIENCE_SECONDS
    ).json()
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def test_every_route_stands_in_the_table(sqlite_api: RunningApi) -> None:
    assert routes(sqlite_api) == set(TABLE)


@pytest.mark.parametrize("role", ["nobody", "user", "reviewer", "admin", "pipeline", "operator"])
def test_a_role_passes_exactly_where_the_table_says(sqlite_api: RunningApi, role: str) -> None:
    headers = {}
    if role != "nobody":
        headers["Authorization"] = f"Bearer {sqlite_api.token('walker', role)}"
    with httpx.Client(
        base_url=sqlite_api.url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        for (method, path), allowed in TABLE.items():
            url = re.sub(r"\{(\w+)\}", lambda match: VALUES.get(match[1], "nothing"), path)
            body = BODIES.get((method, path)) if method in ("PUT", "PATCH", "POST") else None
            status = client.request(method, url, json=body).status_code
            refused = 401 if role == "nobody" else 403
            if role in allowed:
                assert status not in (401, 403), (method, path, role, status)
            else:
                assert status == refused, (method, path, role, status)


def test_a_token_of_another_secret_issuer_or_time_is_refused(sqlite_api: RunningApi) -> None:
    from api.kit.tokens import mint
    from tests.support.api import SECRET

    now = sqlite_api.clock()
    good = {"now": now, "lifetime_seconds": 60.0}
    bad = [
        mint("another-secret-of-32-bytes-or-more!!", "ann", ["admin"], **good),  # type: ignore[arg-type]
        mint(SECRET, "ann", ["admin"], issuer="somebody-else", **good),  # type: ignore[arg-type]
        mint(SECRET, "ann", ["admin"], audience="something-else", **good),  # type: ignore[arg-type]
        mint(SECRET, "ann", ["admin"], now=now, lifetime_seconds=-1.0),
        "not.a.token",
    ]
    for token in bad:
        answer = httpx.get(
            f"{sqlite_api.url}/api/v2/users/me",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        )
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")
