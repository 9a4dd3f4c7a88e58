"""What the two arms of a rollout have shown: counted by the API, judged by the operator."""

from datetime import datetime

from shield.crds.v1alpha1 import Wire


class ArmEvidence(Wire):
    """One arm, counted since the rollout started."""

    exposures: int = 0
    """Scans answered by the arm."""
    decided: int = 0
    """Scans of the arm whose feedback a reviewer has decided."""
    verdict_errors: int = 0
    """Scans of the arm whose verdict a reviewer found wrong."""
    reports: int = 0
    """Scans of the arm that their user called wrong, decided or not."""
    failures: int = 0
    """Requests the arm could not answer."""
    latency_p95_ms: float | None = None
    """95th percentile of the arm's answers, in milliseconds; `None` without answers."""


class Evidence(Wire):
    """Both arms since the rollout of the present candidate started."""

    rollout_started: datetime | None = None
    stable: ArmEvidence = ArmEvidence()
    candidate: ArmEvidence = ArmEvidence()
