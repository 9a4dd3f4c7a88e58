"""Sign, push and register a challenger; then acknowledge its batch, or give it back.

Every part may be repeated: the package that a run registers is pinned in the artifact store before
it gets a name, so that a run that was killed in between registers the same one again.
"""

import json
import logging
import shutil
import tempfile
from pathlib import Path

from components.shared import messages
from components.shared.corpus_store import fetch_set
from components.shared.mirrors import mirrored
from components.shared.runs import amend_outcome, run_key
from shield.artifacts import ArtifactStore
from shield.artifacts.content import put_file
from shield.client import ShieldClient
from shield.errors import NotFound, PackageCorrupt, ShieldError
from shield.gates import PROMOTE, Decision, GateInput
from shield.labels import LABELS
from shield.packages import Manifest, ModelPackage, Purpose, load_private_key, pack, push, sign
from shield.run_files import Registered, RegisteredInputs, RunInputs
from shield.wire import (
    LONGEST_MESSAGE,
    DisputedLabel,
    DisputedLabels,
    RunOutcome,
    VersionRead,
    VersionRequest,
    VersionStatus,
)

log = logging.getLogger(__name__)


def run(
    client: ShieldClient,
    store: ArtifactStore,
    *,
    model: Path,
    evaluations: Path,
    verdict: Path,
    inputs: Path,
    report: Path,
    signing_key: Path,
    code_version: str,
) -> VersionRead:
    """Register the challenger, refused or not, and settle its batch.

    Args:
        client: With the role `pipeline`.
        store: Where the package and the report go.
        model: Package from `train`, not signed.
        evaluations: From `evaluate`; its flat metrics go into the registry.
        verdict: From `gate`.
        inputs: From `collect`; a first model's names no batch.
        report: HTML from `evaluate`.
        signing_key: Private key file (PEM).
        code_version: Of the code or the image that trained, for the lineage.

    Returns:
        The version. A refused one keeps its reason; its batch is released, so that the corrections
        come back next week with more.

    Raises:
        LeaseLost: The batch went to another run while this one trained. The version stays on
            record and nothing is acknowledged twice.
    """
    starts_from = RunInputs.read(inputs)
    model_type, run_id = starts_from.model_type, starts_from.run_id
    decision = Decision.model_validate_json(verdict.read_bytes())
    judged = GateInput.model_validate_json(evaluations.read_bytes())
    request = _pinned(store, run_id, starts_from)
    if request is None:
        with tempfile.TemporaryDirectory(prefix="register-") as folder:
            purpose = Purpose.RELEASE if decision.outcome == PROMOTE else Purpose.RECORD
            package = _packed(Path(folder) / "package", model, judged, signing_key, purpose)
            pushed = push(store, package.path)
        stored = put_file(store, f"reports/{model_type}", report, ".html")
        request = VersionRequest(
            digest=pushed.digest,
            uri=pushed.uri,
            parent=_parent(starts_from, package.manifest),
            batches=package.manifest.batches,
            run_id=run_id,
            metrics={
                **judged.metrics,
                "halves": package.manifest.halves(),
                "goldenDigest": judged.golden_digest,
                "code": code_version,
                "goldenScores": judged.scores,
                "slices": [each.model_dump(mode="json", by_alias=True) for each in judged.slices],
                "warnings": judged.warnings,
                "gate": {
                    finding.gate: "passed" if finding.passed else finding.message
                    for finding in decision.findings
                },
            },
            status="candidate" if decision.outcome == PROMOTE else "refused",
            refusal=None if decision.outcome == PROMOTE else _refusal(decision),
            trained_at=package.manifest.created_at,
            report_uri=stored.key,
        )
        pin = Registered(inputs=_identity(starts_from), request=request)
        store.put(run_key(run_id, "version"), pin.as_json(), overwrite=True)
    version = client.register_version(model_type, request)
    _settle(client, starts_from, version, decision)
    try:
        _ask_for_labels(client, store, starts_from, version, judged)
    except ShieldError as error:
        # The version is registered and its batch settled; the next evaluation doubts them again.
        log.warning(json.dumps({"event": "golden-not-asked", "error": str(error)}))
    mirrored(version, model, report)
    log.info(json.dumps({"event": "registered", "version": version.name, "status": version.status}))
    return version


def _ask_for_labels(
    client: ShieldClient,
    store: ArtifactStore,
    starts_from: RunInputs,
    version: VersionRead,
    judged: GateInput,
) -> None:
    """Let reviewers look at golden labels that champion, challenger and linear model contradict.

    The texts are those of the corpus that the run has pinned. A first model asks for nothing: no
    other has been judged beside it.
    """
    golden = starts_from.corpus.sets.get("golden") if starts_from.corpus else None
    if golden is None or judged.champion is None or not judged.disputed:
        return
    with tempfile.TemporaryDirectory(prefix="register-") as folder:
        table = messages.read(fetch_set(store, golden, Path(folder)))
    labels = LABELS[starts_from.model_type]
    asked = [
        DisputedLabel(id=name, text=text, label=labels[label], probability=judged.disputed[name])
        for name, text, label in table.select("id", "text", "label").iter_rows()
        # What no reviewer could be shown whole is not asked about.
        if name in judged.disputed and len(text) <= LONGEST_MESSAGE
    ]
    if asked:
        disputed = DisputedLabels(
            model_type=starts_from.model_type, version=version.name, messages=asked
        )
        told = client.ask_for_golden_labels(disputed)
        line = {"event": "golden-asked", "queued": told.queued, "before": told.asked_before}
        log.info(json.dumps(line))


def tell(store: ArtifactStore, version: VersionRead) -> None:
    """Keep what the run has come to. `request_rollout` ends it: until then it may be stopped."""
    refused = version.status is VersionStatus.REFUSED
    amend_outcome(
        store,
        str(version.run_id),
        outcome=RunOutcome.REFUSED if refused else RunOutcome.SUCCEEDED,
        message=version.refusal or f"{version.name} passed every gate.",
        version=version.name,
        report_uri=version.report_uri,
    )


def _packed(
    folder: Path, model: Path, judged: GateInput, signing_key: Path, purpose: Purpose
) -> ModelPackage:
    """Complete a copy of the trained package, and sign it for what it may be used for.

    Raises:
        PackageCorrupt: It is not the one that was judged, or a file has other bytes than then.
        PackageInvalid: A file that its manifest names is not there.
    """
    shutil.copytree(model, folder)
    package = ModelPackage.open(folder)
    if package.digest != judged.challenger:
        raise PackageCorrupt(
            f"The package {model} is {package.digest[:19]}, but {judged.challenger[:19]} was "
            "judged. Refusing to sign it. Run the training again."
        )
    manifest = package.manifest
    for name in manifest.files:
        package.read(name)  # what is packed below is signed as it lies here
    pack(folder, manifest.model_copy(update={"metrics": judged.metrics, "files": {}}))
    return sign(folder, load_private_key(signing_key), purpose)


def _pinned(store: ArtifactStore, run_id: str, starts_from: RunInputs) -> VersionRequest | None:
    """Return the version that this run has registered from the same inputs before, if any."""
    key = run_key(run_id, "version")
    try:
        pin = Registered.parse(store.get(key), key)
    except NotFound:
        return None
    return pin.request if pin.inputs == _identity(starts_from) else None


def _parent(starts_from: RunInputs, manifest: Manifest) -> str | None:
    """Return the name of the champion if anything in the package came from it.

    A version that was fitted anew (`start=base`) has not learned what a poisoned champion has, and
    must not be tainted with it. A linear half of an earlier release does not say what it came from.
    """
    if starts_from.champion is None:
        return None
    half = manifest.recipe.get("linear")
    anew = "linear" not in manifest.halves() or (half is not None and not half["parent"])
    return None if manifest.parent is None and anew else starts_from.champion.name


def _identity(starts_from: RunInputs) -> RegisteredInputs:
    batch, champion = starts_from.batch, starts_from.champion
    return RegisteredInputs(
        batch=batch.id if batch else None,
        champion=champion.digest if champion else None,
        recipe=starts_from.recipe,
    )


def _settle(
    client: ShieldClient, starts_from: RunInputs, version: VersionRead, decision: Decision
) -> None:
    """Acknowledge the batch once a version has learned from it; give it back after a refusal."""
    if starts_from.batch is None:
        return
    batch, run_id = starts_from.batch.id, starts_from.run_id
    if decision.outcome == PROMOTE:
        client.ack_batch(batch, run_id, version.name)
    else:
        client.release_batch(batch, run_id, f"refused: {decision.outcome}")


def _refusal(decision: Decision) -> str:
    return f"{decision.outcome}: {decision.message}"[:2000]
