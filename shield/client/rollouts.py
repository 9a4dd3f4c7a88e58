"""Request, steer and undo rollouts."""

from pydantic import TypeAdapter

from shield.client.connection import Connection, at
from shield.crds.base import Wire
from shield.crds.v1alpha1 import ModelRollout, Transition
from shield.labels import ModelType
from shield.rollouts.evidence import Evidence
from shield.wire import (
    LedgerEntry,
    OptionalReasonRequest,
    ReasonRequest,
    RolloutPolicy,
    RolloutRequest,
    TransitionRequest,
)


class RolloutCalls(Connection):
    """Request, steer and undo rollouts."""

    def rollouts(self) -> list[ModelRollout]:
        """List all rollouts."""
        answer = self._call("GET", "/rollouts")
        return TypeAdapter(list[ModelRollout]).validate_python(answer["data"])

    def rollout(self, model_type: ModelType) -> ModelRollout:
        """Return one rollout. Raises `NotFound` when nothing was ever rolled out."""
        return self._data(ModelRollout, self._call("GET", at("/rollouts/{}", model_type)))

    def request_rollout(self, model_type: ModelType, request: RolloutRequest) -> ModelRollout:
        """Request that a version be rolled out.

        Raises:
            VersionRejected: The version was rejected, taken back, refused or tainted.
            RolloutBusy: Another candidate is being rolled out.
        """
        return self._data(
            ModelRollout, self._call("POST", at("/rollouts/{}", model_type), body=request)
        )

    def change_rollout(self, model_type: ModelType, policy: RolloutPolicy) -> ModelRollout:
        """Change the steps of a rollout and its acceptance criteria (admins)."""
        return self._data(
            ModelRollout, self._call("PATCH", at("/rollouts/{}", model_type), body=policy)
        )

    def undo_rollout(self, model_type: ModelType, reason: str) -> ModelRollout:
        """Return to the last known good version."""
        return self._rollout_verb(model_type, "undo", ReasonRequest(reason=reason), repeat=False)

    def abort_rollout(self, model_type: ModelType, reason: str) -> ModelRollout:
        """End the trial without a result. Raises `Conflict` if there is no trial."""
        return self._rollout_verb(model_type, "abort", ReasonRequest(reason=reason))

    def pause_rollout(self, model_type: ModelType, reason: str | None = None) -> ModelRollout:
        """Stay at the current step until `resume_rollout`."""
        return self._rollout_verb(model_type, "pause", OptionalReasonRequest(reason=reason))

    def resume_rollout(self, model_type: ModelType, reason: str | None = None) -> ModelRollout:
        """Continue from the current step."""
        return self._rollout_verb(model_type, "resume", OptionalReasonRequest(reason=reason))

    def promote_rollout(self, model_type: ModelType, reason: str) -> ModelRollout:
        """Promote the candidate now, without the remaining steps."""
        return self._rollout_verb(model_type, "promote", ReasonRequest(reason=reason))

    def evidence(self, model_type: ModelType) -> Evidence:
        """Return the evidence about both arms since the rollout started."""
        answer = self._call("GET", at("/rollouts/{}/evidence", model_type))
        return TypeAdapter(Evidence).validate_python(answer["data"])

    def record_transition(
        self, model_type: ModelType, rollout_uid: str, transition: Transition
    ) -> LedgerEntry:
        """Record a transition in the promotion ledger. Idempotent."""
        body = TransitionRequest(**transition.model_dump(), rollout_uid=rollout_uid)
        return self._data(
            LedgerEntry, self._call("POST", at("/rollouts/{}/transitions", model_type), body=body)
        )

    def _rollout_verb(
        self, model_type: ModelType, verb: str, body: Wire, *, repeat: bool = True
    ) -> ModelRollout:
        answer = self._call(
            "POST", at("/rollouts/{}/{}", model_type, verb), body=body, repeat=repeat
        )
        return self._data(ModelRollout, answer)
