"""Find the fault that ends a version, from its servers and from its evidence. Pure."""

from serving.operator.judgement import FAILED, Fault, down_after_a_crash, first_fault
from serving.operator.state import Observed
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRolloutSpec, VersionRef


def fault_of(
    spec: ModelRolloutSpec, observed: Observed, version: VersionRef, evidence: Evidence | None
) -> Fault | None:
    """Return the first fault; requests that failed after a crash are told as the crash."""
    fault = hard_fault(spec, observed, version, evidence)
    if fault is not None or evidence is None:
        return fault
    fault = first_fault(spec.analysis, evidence)
    if fault is not None and fault.reason in FAILED and observed.of(version).crashes:
        return Fault("ServerCrashes", f"Its servers have crashed. {fault.message}")
    return fault


def hard_fault(
    spec: ModelRolloutSpec,
    observed: Observed,
    version: VersionRef,
    evidence: Evidence | None = None,
) -> Fault | None:
    """Return a fault that makes a version unusable: a refused package, or crashing servers.

    One crash is not enough, unless it affected users.
    """
    server = observed.of(version)
    if server.refusal is not None:
        return Fault("PackageRefused", server.refusal)
    if server.crashes >= spec.analysis.minimum_failures:
        return Fault("ServerCrashes", f"Its servers have crashed {server.crashes} times.")
    felt = server.crashes and not server.ready and down_after_a_crash(spec.analysis, evidence)
    if felt:
        return Fault("ServerCrashes", "Its servers have crashed, and users' requests failed.")
    return None
