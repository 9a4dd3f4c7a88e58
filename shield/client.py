"""A typed client of our own HTTP API.

Answers come back as `shield.wire` types, problem documents as `shield.errors` classes. Calls that
may be repeated safely are repeated on 503 and on connection errors, with growing pauses; `POST
/scans` is not.

    with ShieldClient("http://127.0.0.1:8000", token) as client:
        scan = client.scan(ScanType.TEXT, "You have won!")
        client.send_feedback(scan.id, FeedbackType.FALSE_NEGATIVE)
"""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import TypeAdapter

from shield.crds.base import Wire
from shield.crds.v1alpha1 import ModelRollout, Transition
from shield.errors import ShieldError, Unavailable, from_problem
from shield.labels import FeedbackType, ModelType, ScanType
from shield.rollouts.evidence import Evidence
from shield.routing import Arm
from shield.wire import (
    AckRequest,
    AuditCheck,
    AuditEntry,
    BatchRead,
    BatchStatus,
    Decision,
    DeliveryOutcome,
    DeliveryRead,
    DeviceVersionCounts,
    DriftFacts,
    ErasureRead,
    FeedbackRead,
    FeedbackRequest,
    GoldRequest,
    InboxRead,
    KnownRead,
    KnownStanding,
    LeaseRequest,
    LeaseResult,
    LedgerEntry,
    LineageKind,
    LineageRead,
    MeRead,
    MeUpdate,
    NamedKind,
    NamedRead,
    OptionalReasonRequest,
    Pagination,
    PairingRead,
    PendingItem,
    QualityRead,
    ReadMarks,
    ReasonRequest,
    ReleaseRequest,
    RenewRequest,
    Replayed,
    ReplayRequest,
    ReviewAction,
    ReviewRequest,
    RolloutPolicy,
    RolloutRequest,
    RunRead,
    RunRequest,
    RunUpdate,
    ScanRead,
    ScanRequest,
    StatsRead,
    TransitionRequest,
    UndoRequest,
    Unread,
    VersionRead,
    VersionRequest,
    WebhookRead,
    WebhookRequest,
)
from shield.wire.comparison import VersionComparison

T = TypeVar("T")
_PAUSES_SECONDS = (0.1, 0.3, 1.0, 2.0)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list."""

    items: list[T]
    pagination: Pagination

    def __iter__(self) -> Iterator[T]:
        """Iterate over the items of this page alone."""
        return iter(self.items)


@lru_cache(maxsize=1)
def _trusted_authorities() -> ssl.SSLContext:
    """Return what httpx trusts; read once per process, as reading takes longer than a request."""
    return httpx.create_ssl_context()


class ShieldClient:
    """Calls the API as one user. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        token: str | None,
        *,
        timeout_seconds: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.base_url + "/api/v2",
            headers=headers,
            timeout=timeout_seconds,
            transport=transport,
            verify=_trusted_authorities(),
        )
        self._sleep = sleep

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # --- scans and feedback -----------------------------------------------------------------------

    def scan(self, scan_type: ScanType, text: str, *, arm: Arm | None = None) -> ScanRead:
        """Judge one message. `arm` forces an arm (reviewers and admins only)."""
        headers = {"X-Shield-Arm": arm.value} if arm else {}
        body = ScanRequest(scan_type=scan_type, text=text)
        return self._data(
            ScanRead, self._call("POST", "/scans", body=body, headers=headers, repeat=False)
        )

    def scans(self, *, limit: int = 50, cursor: str | None = None) -> Page[ScanRead]:
        """List one's own scans, newest first."""
        return self._page(ScanRead, "/scans", {"limit": limit, "cursor": cursor})

    def erase_scan(self, scan_id: str) -> ErasureRead:
        """Erase one of one's own scans, and what one has said of it."""
        return self._data(ErasureRead, self._call("DELETE", f"/scans/{quote(scan_id)}"))

    def erase_scans(self) -> ErasureRead:
        """Erase all of one's own scans, and what one has said of them; the account stays."""
        return self._data(ErasureRead, self._call("DELETE", "/scans"))

    def send_feedback(
        self,
        scan_id: str,
        feedback_type: FeedbackType,
        *,
        actual_label: str | None = None,
        comment: str | None = None,
        idempotency_key: str | None = None,
    ) -> FeedbackRead:
        """Say what a verdict was worth.

        Raises:
            ContradictoryFeedback: The claim cannot be made of this verdict.
            UnknownLabel: `actual_label` is not a label of the model type.
            NotFound: There is no such scan of this user.
        """
        body = FeedbackRequest(
            scan_id=scan_id,
            feedback_type=feedback_type,
            actual_label=actual_label,
            comment=comment,
        )
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        return self._data(FeedbackRead, self._call("POST", "/feedback", body=body, headers=headers))

    def pending(
        self, *, model_type: ModelType | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[PendingItem]:
        """List what waits for a decision, most valuable first (reviewers)."""
        query = {"modelType": model_type, "limit": limit, "cursor": cursor}
        return self._page(PendingItem, "/feedback/pending", query)

    def review(
        self,
        feedback_id: str,
        decision: ReviewAction | Decision,
        notes: str | None = None,
        *,
        scope: Literal["item", "campaign"] = "item",
        shown: Sequence[str] | None = None,
        seen_label: str | None = None,
        tactic: str | None = None,
        reason: str | None = None,
    ) -> FeedbackRead:
        """Decide one item, or with `scope` what was shown of its campaign.

        Args:
            feedback_id: Of the item.
            decision: What the message is, or whether the claim about it is right.
            notes: Why.
            scope: How far it goes.
            shown: With `scope="campaign"` the items that were seen (`item.campaign.shown`); left
                out, what reads like the item itself.
            seen_label: The corrected label that was judged; another one now is a conflict.
            tactic: Of the book of scams, where the message is a scam.
            reason: One of the team's list, where it has one.

        Raises:
            AlreadyReviewed: Somebody else was faster; the message names who.
            Conflict: The reporter has changed the claim meanwhile.
            Forbidden: It is the reviewer's own report.
        """
        body = ReviewRequest(
            action=decision if isinstance(decision, ReviewAction) else None,
            decision=decision if isinstance(decision, Decision) else None,
            tactic=tactic,
            reason=reason,
            notes=notes,
            scope=scope,
            shown=list(shown) if shown is not None else None,
            corrected_label=seen_label,
        )
        # Not repeated: after a lost answer a second try would meet its own decision as a 409.
        return self._data(
            FeedbackRead, self._call("PUT", f"/feedback/{feedback_id}", body=body, repeat=False)
        )

    def undo_review(self, feedback_id: str, reason: str | None = None) -> FeedbackRead:
        """Take a decision back while that is still possible."""
        body = UndoRequest(reason=reason)
        return self._data(
            FeedbackRead,
            self._call("POST", f"/feedback/{feedback_id}/undo", body=body, repeat=False),
        )

    def stats(self, *, model_type: ModelType | None = None) -> StatsRead:
        """Return counts, rates and the five metrics."""
        return self._data(
            StatsRead, self._call("GET", "/feedback/stats", query={"modelType": model_type})
        )

    def export(
        self, form: Literal["json", "csv"] = "json", *, since: datetime | None = None
    ) -> bytes:
        """Return approved corrections as the bytes of a JSON or CSV file."""
        query = {"format": form, "since": since.isoformat() if since else None}
        return self._request("GET", "/feedback/export", query=query).content

    # --- batches ----------------------------------------------------------------------------------

    def lease_batch(
        self,
        model_type: ModelType,
        run_id: str,
        *,
        minimum: int = 50,
        lease_seconds: float = 3600,
    ) -> LeaseResult:
        """Lease the approved corrections; the same run gets the same batch again."""
        body = LeaseRequest(
            model_type=model_type, run_id=run_id, minimum=minimum, lease_seconds=lease_seconds
        )
        return self._data(LeaseResult, self._call("POST", "/batches/lease", body=body))

    def renew_batch(self, batch_id: str, run_id: str, lease_seconds: float = 3600) -> BatchRead:
        """Keep a lease. Raises `LeaseLost` when it is gone."""
        body = RenewRequest(run_id=run_id, lease_seconds=lease_seconds)
        return self._data(BatchRead, self._call("POST", f"/batches/{batch_id}/renew", body=body))

    def ack_batch(self, batch_id: str, run_id: str, version: str) -> BatchRead:
        """Say that `version` has learned from the batch; repeating it changes nothing."""
        body = AckRequest(run_id=run_id, version=version)
        return self._data(BatchRead, self._call("POST", f"/batches/{batch_id}/ack", body=body))

    def release_batch(self, batch_id: str, run_id: str, reason: str) -> BatchRead:
        """Give the corrections back for a later run; repeating it changes nothing."""
        body = ReleaseRequest(run_id=run_id, reason=reason)
        return self._data(BatchRead, self._call("POST", f"/batches/{batch_id}/release", body=body))

    def batches(
        self, *, model_type: ModelType | None = None, status: BatchStatus | None = None
    ) -> list[BatchRead]:
        """List all batches, oldest first."""
        query = {"modelType": model_type, "status": status}
        return self._all(BatchRead, "/batches", query)

    # --- registry ---------------------------------------------------------------------------------

    def register_version(self, model_type: ModelType, version: VersionRequest) -> VersionRead:
        """Name a package. The same digest gets the same name again.

        Raises:
            AlreadyExists: The digest is registered with other content.
        """
        return self._data(
            VersionRead, self._call("POST", f"/models/{model_type}/versions", body=version)
        )

    def versions(self, model_type: ModelType) -> list[VersionRead]:
        """List all versions, oldest first."""
        return self._all(VersionRead, f"/models/{model_type}/versions", {})

    def version(self, model_type: ModelType, name: str) -> VersionRead:
        """Return one version."""
        return self._data(VersionRead, self._call("GET", f"/models/{model_type}/versions/{name}"))

    def compare(self, model_type: ModelType, old: str, new: str) -> VersionComparison:
        """Compare two versions on the messages that both were judged on."""
        path = f"/models/{model_type}/versions/{old}/compare/{new}"
        return self._data(VersionComparison, self._call("GET", path))

    def reinstate(self, model_type: ModelType, name: str, reason: str) -> VersionRead:
        """Let a refused, rejected or tainted version be proposed again (admins)."""
        path = f"/models/{model_type}/versions/{name}/reinstate"
        return self._data(VersionRead, self._call("POST", path, body=ReasonRequest(reason=reason)))

    def champion(self, model_type: ModelType) -> VersionRead:
        """Return the version that is stable now. Raises `NotFound` when there is none."""
        return self._data(VersionRead, self._call("GET", f"/models/{model_type}/champion"))

    def ledger(self, model_type: ModelType) -> list[LedgerEntry]:
        """List all transitions of a model type, oldest first."""
        return self._all(LedgerEntry, f"/models/{model_type}/ledger", {})

    def drift_facts(self, model_type: ModelType) -> DriftFacts:
        """Return what has been seen of the champion since its release. Raises `NotFound`."""
        return self._data(DriftFacts, self._call("GET", f"/models/{model_type}/drift"))

    # --- runs -------------------------------------------------------------------------------------

    def start_run(
        self, run_id: str, model_type: ModelType, *, engine: str = "local", trigger: str = "manual"
    ) -> RunRead:
        """Record that a run begins; the same id begins again."""
        body = RunRequest(run_id=run_id, model_type=model_type, engine=engine, trigger=trigger)
        return self._data(RunRead, self._call("POST", "/runs", body=body))

    def finish_run(self, run_id: str, update: RunUpdate) -> RunRead:
        """Record how a run ended."""
        return self._data(RunRead, self._call("PATCH", f"/runs/{run_id}", body=update))

    def runs(self, *, model_type: ModelType | None = None) -> list[RunRead]:
        """List all runs, newest first."""
        return self._all(RunRead, "/runs", {"modelType": model_type})

    def run(self, run_id: str) -> RunRead:
        """Return one run. Raises `NotFound`."""
        return self._data(RunRead, self._call("GET", f"/runs/{quote(run_id)}"))

    # --- rollouts ---------------------------------------------------------------------------------

    def rollouts(self) -> list[ModelRollout]:
        """List all rollouts."""
        answer = self._call("GET", "/rollouts")
        return TypeAdapter(list[ModelRollout]).validate_python(answer["data"])

    def rollout(self, model_type: ModelType) -> ModelRollout:
        """Return one rollout. Raises `NotFound` when nothing was ever rolled out."""
        return self._data(ModelRollout, self._call("GET", f"/rollouts/{model_type}"))

    def request_rollout(self, model_type: ModelType, request: RolloutRequest) -> ModelRollout:
        """Ask for a version to serve.

        Raises:
            VersionRejected: The version was rejected, taken back, refused or tainted.
            RolloutBusy: Another candidate is on its way.
        """
        return self._data(ModelRollout, self._call("POST", f"/rollouts/{model_type}", body=request))

    def change_rollout(self, model_type: ModelType, policy: RolloutPolicy) -> ModelRollout:
        """Say how versions meet their users and what they are judged by (admins)."""
        return self._data(ModelRollout, self._call("PATCH", f"/rollouts/{model_type}", body=policy))

    def undo_rollout(self, model_type: ModelType, reason: str) -> ModelRollout:
        """Go back to the last known good version."""
        return self._rollout_verb(model_type, "undo", ReasonRequest(reason=reason), repeat=False)

    def abort_rollout(self, model_type: ModelType, reason: str) -> ModelRollout:
        """End the trial without a judgement. Raises `Conflict` when nothing is on trial."""
        return self._rollout_verb(model_type, "abort", ReasonRequest(reason=reason))

    def pause_rollout(self, model_type: ModelType, reason: str | None = None) -> ModelRollout:
        """Hold the present step."""
        return self._rollout_verb(model_type, "pause", OptionalReasonRequest(reason=reason))

    def resume_rollout(self, model_type: ModelType, reason: str | None = None) -> ModelRollout:
        """Go on from the present step."""
        return self._rollout_verb(model_type, "resume", OptionalReasonRequest(reason=reason))

    def promote_rollout(self, model_type: ModelType, reason: str) -> ModelRollout:
        """Skip the remaining steps."""
        return self._rollout_verb(model_type, "promote", ReasonRequest(reason=reason))

    def evidence(self, model_type: ModelType) -> Evidence:
        """Return what the two arms have shown since the rollout started."""
        answer = self._call("GET", f"/rollouts/{model_type}/evidence")
        return TypeAdapter(Evidence).validate_python(answer["data"])

    def record_transition(
        self, model_type: ModelType, rollout_uid: str, transition: Transition
    ) -> LedgerEntry:
        """Write a transition into the promotion ledger; repeating it changes nothing."""
        body = TransitionRequest(**transition.model_dump(), rollout_uid=rollout_uid)
        return self._data(
            LedgerEntry, self._call("POST", f"/rollouts/{model_type}/transitions", body=body)
        )

    # --- people, lineage, audit -------------------------------------------------------------------

    def me(self) -> MeRead:
        """Return what the system knows of the caller."""
        return self._data(MeRead, self._call("GET", "/users/me"))

    def set_consent(self, audit_consent: bool) -> MeRead:
        """Agree, or no longer agree, to the audit sample."""
        body = MeUpdate(audit_consent=audit_consent)
        return self._data(MeRead, self._call("PUT", "/users/me", body=body))

    def pairing_code(self) -> PairingRead:
        """Return a code that connects one phone to one's account (reviewers and admins)."""
        return self._data(PairingRead, self._call("POST", "/users/me/pairing", repeat=False))

    def erase_me(self) -> ErasureRead:
        """Erase the caller, and learn which versions were trained on their messages."""
        return self._data(ErasureRead, self._call("DELETE", "/users/me", repeat=False))

    def inbox(
        self, *, after: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> InboxRead:
        """Return the caller's notices, newest first; with `after` only those newer than it."""
        query = {"after": after, "limit": limit, "cursor": cursor}
        return self._data(InboxRead, self._call("GET", "/inbox", query=query))

    def mark_read(self, ids: Sequence[str] = (), *, up_to: str | None = None) -> int:
        """Note which notices were read; return how many are left."""
        marks = ReadMarks(ids=list(ids), up_to=up_to)
        return self._data(Unread, self._call("POST", "/inbox/read", body=marks)).unread

    def lineage(self, kind: LineageKind, name: str) -> LineageRead:
        """Name every version that learned from a feedback, reporter, campaign or batch."""
        return self._data(LineageRead, self._call("GET", f"/lineage/{kind}/{quote(name)}"))

    def withdraw(self, kind: LineageKind, name: str, reason: str) -> LineageRead:
        """Take poisoned corrections out of all snapshots (admin)."""
        body = ReasonRequest(reason=reason)
        answer = self._call("POST", f"/lineage/{kind}/{quote(name)}/withdraw", body=body)
        return self._data(LineageRead, answer)

    def taint(self, model_type: ModelType, name: str, reason: str) -> VersionRead:
        """Mark a version and its descendants, so that none is ever proposed again (admin)."""
        path = f"/models/{model_type}/versions/{name}/taint"
        return self._data(VersionRead, self._call("POST", path, body=ReasonRequest(reason=reason)))

    def names(
        self, kind: NamedKind, prefix: str, *, model_type: ModelType | None = None
    ) -> list[NamedRead]:
        """Return things of a kind whose id begins with `prefix`: nine at most."""
        query = {"prefix": prefix, "modelType": model_type}
        answer = self._call("GET", f"/names/{kind}", query=query)
        return TypeAdapter(list[NamedRead]).validate_python(answer["data"])

    def audit_verify(self, head: str | None = None) -> AuditCheck:
        """Recompute the audit log's hash chain; `head` is a hash noted earlier."""
        return self._data(AuditCheck, self._call("GET", "/audit/verify", query={"head": head}))

    def device_counts(self, scan_type: ScanType = ScanType.TEXT) -> list[DeviceVersionCounts]:
        """Return how often each version has judged on phones, and what the server thought."""
        answer = self._call("GET", f"/device/{scan_type}/counts")
        return [DeviceVersionCounts.model_validate(row) for row in answer["data"]]

    def known(
        self,
        *,
        standing: KnownStanding | None = None,
        model_type: ModelType | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[KnownRead]:
        """List known campaigns, newest first."""
        query = {"standing": standing, "modelType": model_type, "limit": limit, "cursor": cursor}
        return self._page(KnownRead, "/known", query)

    def known_campaign(self, known_id: str) -> KnownRead:
        """Return one known campaign."""
        return self._data(KnownRead, self._call("GET", f"/known/{quote(known_id)}"))

    def undo_known(self, known_id: str, reason: str) -> KnownRead:
        """Take a known campaign back: it matches nothing from now on."""
        body = ReasonRequest(reason=reason)
        return self._data(
            KnownRead,
            self._call("POST", f"/known/{quote(known_id)}/undo", body=body, repeat=False),
        )

    def webhooks(self) -> list[WebhookRead]:
        """List webhooks (admin)."""
        answer = self._call("GET", "/webhooks")
        return TypeAdapter(list[WebhookRead]).validate_python(answer["data"])

    def add_webhook(self, request: WebhookRequest) -> WebhookRead:
        """Add a webhook (admin); its secret is in this answer alone."""
        return self._data(WebhookRead, self._call("POST", "/webhooks", body=request, repeat=False))

    def remove_webhook(self, webhook_id: str) -> WebhookRead:
        """Remove a webhook (admin)."""
        path = f"/webhooks/{quote(webhook_id)}"
        return self._data(WebhookRead, self._call("DELETE", path, repeat=False))

    def test_webhook(self, webhook_id: str) -> DeliveryRead:
        """Send a test event now, and learn what came of it (admin)."""
        path = f"/webhooks/{quote(webhook_id)}/test"
        return self._data(DeliveryRead, self._call("POST", path, repeat=False))

    def deliveries(
        self,
        webhook_id: str,
        *,
        outcome: DeliveryOutcome | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[DeliveryRead]:
        """List what was sent to a webhook, newest first (admin)."""
        query = {"outcome": outcome, "limit": limit, "cursor": cursor}
        return self._page(DeliveryRead, f"/webhooks/{quote(webhook_id)}/deliveries", query)

    def replay_webhook(self, webhook_id: str, request: ReplayRequest) -> int:
        """Send events again (admin); return how many."""
        path = f"/webhooks/{quote(webhook_id)}/replay"
        return self._data(Replayed, self._call("POST", path, body=request, repeat=False)).sent

    def audit(
        self, *, limit: int = 50, cursor: str | None = None, action: str | None = None
    ) -> Page[AuditEntry]:
        """List the audit log, newest first; with `action` its entries alone."""
        query = {"limit": limit, "cursor": cursor, "action": action}
        return self._page(AuditEntry, "/audit", query)

    def quality(self) -> QualityRead:
        """Return gold accuracy and agreement of the reviewers."""
        return self._data(QualityRead, self._call("GET", "/review/quality"))

    def seed_gold(self, gold: GoldRequest) -> FeedbackRead:
        """Mix an item with a known answer into the queue (admin)."""
        return self._data(FeedbackRead, self._call("POST", "/review/gold", body=gold, repeat=False))

    # --- the wire ---------------------------------------------------------------------------------

    def _rollout_verb(
        self, model_type: ModelType, verb: str, body: Wire, *, repeat: bool = True
    ) -> ModelRollout:
        answer = self._call("POST", f"/rollouts/{model_type}/{verb}", body=body, repeat=repeat)
        return self._data(ModelRollout, answer)

    def _data(self, kind: type[T], answer: Mapping[str, Any]) -> T:
        return TypeAdapter(kind).validate_python(answer["data"])

    def _page(self, kind: type[T], path: str, query: Mapping[str, Any]) -> Page[T]:
        answer = self._call("GET", path, query=query)
        items = [self._data(kind, {"data": item}) for item in answer["data"]]
        return Page(items, Pagination.model_validate(answer["pagination"]))

    def _all(self, kind: type[T], path: str, query: Mapping[str, Any]) -> list[T]:
        items: list[T] = []
        cursor: str | None = None
        while True:
            page = self._page(kind, path, {**query, "limit": 200, "cursor": cursor})
            items += page.items
            cursor = page.pagination.next_cursor
            if cursor is None:
                return items

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Wire | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> dict[str, Any]:
        answer = self._request(method, path, body=body, query=query, headers=headers, repeat=repeat)
        document: dict[str, Any] = answer.json()
        return document

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: Wire | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> httpx.Response:
        content = body.model_dump(mode="json", by_alias=True, exclude_none=True) if body else None
        params = {name: str(value) for name, value in (query or {}).items() if value is not None}
        for pause in (*_PAUSES_SECONDS, None):
            try:
                answer = self._http.request(
                    method, path, json=content, params=params, headers=dict(headers or {})
                )
                error = None if answer.is_success else _error_of(answer)
            except httpx.TransportError as fault:
                error = Unavailable(
                    f"{method} {self.base_url}/api/v2{path} did not answer ({fault}). "
                    "Is the API running? `shieldctl status` tells."
                )
            if error is None:
                return answer
            if pause is None or not repeat or not isinstance(error, Unavailable):
                raise error
            self._sleep(pause)
        raise AssertionError("unreachable: the last round returns or raises")


def _error_of(answer: httpx.Response) -> ShieldError:
    try:
        document = answer.json()
    except ValueError:
        document = {}
    if not isinstance(document, dict) or "type" not in document:
        document = {"detail": f"{answer.request.url} answered HTTP {answer.status_code}."}
    return from_problem(answer.status_code, document)
