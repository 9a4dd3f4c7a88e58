"""Ask for the rollout of a version that passed the gates."""

import json
import logging

from shield.client import ShieldClient
from shield.errors import Conflict, NotFound, RolloutBusy, VersionRejected
from shield.gates import PROMOTE
from shield.labels import ModelType
from shield.wire import RolloutRequest

log = logging.getLogger(__name__)

REQUESTED, SKIPPED, BUSY, REJECTED = "requested", "refused", "busy", "rejected"
SUPERSEDED = "superseded"


def run(
    client: ShieldClient,
    *,
    model_type: ModelType,
    version: str,
    outcome: str,
    run_id: str,
    reason: str = "",
) -> str:
    """Ask, unless a gate refused the version.

    Args:
        client: With the role `pipeline`.
        model_type: Whose rollout.
        version: Name in the registry.
        outcome: What `gate` answered.
        run_id: Goes into the audit log with the request.
        reason: Goes there instead.

    Returns:
        "requested"; "refused" when a gate said no; "busy" when another candidate is on its way (the
        version stays a candidate and can be rolled out later); "rejected" when this run is repeated
        after its version was already rejected by its users; "superseded" when it is repeated after
        its version has met them.
    """
    if outcome != PROMOTE:
        return SKIPPED
    request = RolloutRequest(version=version, reason=reason or f"run {run_id}")
    try:
        present = client.rollout(model_type).spec.version.name
        if present == version:
            return REQUESTED  # this run asked before, and was killed afterwards
    except NotFound:
        pass
    try:
        client.request_rollout(model_type, request)
    except RolloutBusy as busy:
        log.warning(json.dumps({"event": "rollout-busy", "version": version, "why": busy.message}))
        return BUSY
    except VersionRejected as rejected:
        log.warning(json.dumps({"event": "rejected", "version": version, "why": rejected.message}))
        return REJECTED
    except Conflict as late:
        log.warning(json.dumps({"event": "superseded", "version": version, "why": late.message}))
        return SUPERSEDED
    return REQUESTED
