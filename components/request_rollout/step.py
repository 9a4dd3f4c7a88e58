"""Ask for the rollout of a version that passed the gates."""

import json
import logging
from typing import Any

from shield.client import ShieldClient
from shield.errors import NotFound, RolloutBusy, VersionRejected
from shield.gates import PROMOTE
from shield.labels import ModelType
from shield.wire import RolloutRequest

log = logging.getLogger(__name__)

REQUESTED, SKIPPED, BUSY, REJECTED = "requested", "refused", "busy", "rejected"


def run(
    client: ShieldClient,
    *,
    model_type: ModelType,
    version: str,
    outcome: str,
    rollout: dict[str, Any],
    run_id: str,
) -> str:
    """Ask, unless a gate refused the version.

    Args:
        client: With the role `service`.
        model_type: Whose rollout.
        version: Name in the registry.
        outcome: What `gate` answered.
        rollout: Other members of the request, in camelCase (steps, guardSeconds, ...).
        run_id: Goes into the audit log with the request.

    Returns:
        "requested"; "refused" when a gate said no; "busy" when another candidate is on its way (the
        version stays a candidate and can be rolled out later); "rejected" when this run is repeated
        after its version was already rejected by its users.
    """
    if outcome != PROMOTE:
        return SKIPPED
    request = RolloutRequest.model_validate(
        {"reason": f"run {run_id}", **rollout, "version": version}
    )
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
    return REQUESTED
