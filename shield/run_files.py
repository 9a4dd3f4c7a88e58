"""Files that the steps of a run hand to each other: their types, and how they are read and written.

One spelling: members are camelCase in the files, as on the wire. Files that an earlier release has
written in snake_case are read as well (until release 0.3), so that a run in flight goes on.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, ValidationError

from shield.crds.v1alpha1 import VersionRef
from shield.errors import Invalid
from shield.labels import ModelType
from shield.wire import RunOutcome, VersionRequest
from shield.wire.base import Answer

DATASET, CORPUS = "dataset.json", "corpus.json"
"""Names of the facts in a dataset directory and in a corpus directory."""


def run_folder(run_id: str) -> str:
    """Return the prefix under which a run keeps things in the artifact store."""
    return f"runs/{run_id.replace(':', '_')}/"


def dataset_folder(run_id: str) -> str:
    """Return the prefix of a run's dataset, which holds messages and goes with the run."""
    return f"{run_folder(run_id)}dataset/"


class RunFile(Answer):
    """Base of the files of a run: members that another release adds are ignored."""

    @classmethod
    def parse(cls, raw: bytes, origin: object) -> Self:
        """Return what `raw` (JSON) says.

        Args:
            raw: The content.
            origin: Where it is from, for the error.

        Raises:
            Invalid: It is not such a file; says which member is wrong.
        """
        try:
            return cls.model_validate_json(raw)
        except ValidationError as error:
            raise _invalid(origin, cls.__name__, error) from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            Invalid: It is missing, or it is not such a file.
        """
        return cls.parse(_content(path), path)

    def as_json(self) -> bytes:
        """Return the file's content; the same facts give the same bytes."""
        return self.model_dump_json(by_alias=True, indent=1).encode()

    def write(self, path: Path) -> None:
        """Write the file, and the directory above it where there is none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.as_json())


class BatchReference(RunFile):
    """A sealed batch, as a step finds it in the artifact store."""

    id: str
    digest: str
    """SHA-256 of the Parquet file's bytes, `sha256:...`."""
    uri: str
    """Key in the artifact store."""
    count: int
    """Approved corrections in it."""
    sealed_at: datetime


class Lease(RunFile):
    """The hold of a run on its batch, which its steps renew while they work."""

    batch: str
    """Id of the batch."""
    run_id: str
    seconds: float
    """After that long without a renewal the batch returns by itself."""


class CorpusSet(RunFile):
    """One set of a corpus: a table of messages."""

    digest: str
    """SHA-256 of the Parquet file's bytes, `sha256:...`."""
    messages: int = 0
    scams: int = 0
    key: str | None = None
    """In the artifact store; None before the corpus is published."""


class AddedMessages(RunFile):
    """Labelled messages that somebody has added to a published corpus."""

    key: str
    digest: str
    messages: int = 0
    file: str = ""
    """Name of the file or directory that they came from."""


class TacticFacts(RunFile):
    """What is known of a tactic among the scams of a corpus."""

    name: str
    words: list[str]
    count: int
    """Scams."""
    held_back: bool = False
    """The first model never sees it."""


class Corpus(RunFile):
    """A base corpus: `corpus.json` in its directory, and the published one in the store."""

    model_type: ModelType
    seed: int = 0
    hold_back: float = 0.0
    """Share of the scams, in whole tactics, that the first model never sees."""
    tactics: list[TacticFacts] = []
    sets: dict[str, CorpusSet] = {}
    added: list[AddedMessages] = []
    removed: list[str] = []
    """Parts that teach no longer: `SOURCE` or `SOURCE/LANGUAGE`."""
    relabelled: dict[str, str] = {}
    """Golden messages whose label reviewers have corrected: id to what they found."""

    def teaching(self) -> str:
        """Return a digest of what it teaches: the base, what was added, what was removed."""
        base = self.sets["train"].digest if "train" in self.sets else ""
        parts = [base, *(each.digest for each in self.added), *sorted(self.removed)]
        return f"sha256:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"


class GoldenFigures(RunFile):
    """What an earlier version was found to do on the golden set."""

    version: str
    golden_digest: str
    golden_accuracy: float
    golden_fpr: float
    golden_recall: float | None = None


class RunInputs(RunFile):
    """What a run starts from, written by `collect` and pinned under the run's id."""

    model_type: ModelType
    run_id: str
    batch: BatchReference | None = None
    """None: too few corrections, or a first model."""
    lease: Lease | None = None
    earlier: list[BatchReference] = []
    """Batches that former versions have learned from, by id."""
    champion: VersionRef | None = None
    corpus: Corpus | None = None
    history: list[GoldenFigures] = []
    recipe: str | None = None
    """Digest of what a first model follows from."""
    count: int | None = None
    """Approved corrections that there were, when they were too few."""
    minimum: int | None = None
    """Approved corrections that were needed then."""


class SetCounts(RunFile):
    """How large a set of messages is."""

    messages: int
    scams: int


class BatchShift(RunFile):
    """How the batch of a run differs from what taught before it. Shares from 0 to 1."""

    messages: int
    scams: float | None = None
    """Share of scams; None, as the figures below, where there is nothing to compare."""
    scams_before: float | None = None
    new_campaigns: float | None = None
    """Share of the batch's campaigns that nothing before belongs to."""
    length_shift: float | None = None
    """Population stability index of the lengths."""
    warnings: list[str] = []


class PhraseCounts(RunFile):
    """Phrases that many harmless reports share."""

    looked_at: int = 0
    suspected: int = 0
    inoculated: int = 0
    """Known scams with such a phrase behind them that are learned."""


class DatasetFacts(RunFile):
    """What a dataset directory holds: `dataset.json` in it."""

    model_type: ModelType
    fresh_feedback: int
    """Approved corrections in the batch of the run."""
    golden_digest: str
    corpus: str = ""
    """Of what the base corpus teaches: `Corpus.teaching`."""
    batches: list[str] = []
    """Ids of the batches whose corrections are in it."""
    run_id: str | None = None
    sealed_at: datetime | None = None
    lease: Lease | None = None
    taught: int = 0
    replayed: int = 0
    beside_before: BatchShift | None = None
    phrases: PhraseCounts = PhraseCounts()
    set_aside: dict[str, int] = {}
    """Reason to the number of corrections that were left out for it."""
    counts: dict[str, SetCounts] = {}
    digests: dict[str, str] = {}


class Outcome(RunFile):
    """What the steps of a run have found so far, for `finish_run`.

    The first step of every try begins it, and only the step after which nothing else has to be done
    ends it: one that has not ended is that of a run that was stopped on its way.
    """

    job_id: str = ""
    """The engine's name of the run that wrote it; a run id may be used again."""
    ended: bool = True
    """Left out by releases that wrote it only once, when all was done."""
    outcome: RunOutcome = RunOutcome.RUNNING
    message: str = ""
    version: str | None = None
    report_uri: str | None = None


class HandedOver(RunFile):
    """The files that a run has left for whoever signs, under its id in the artifact store."""

    files: dict[str, str]
    """Name -> `sha256:` and 64 hexadecimal digits."""


class RegisteredInputs(RunFile):
    """What a registered package follows from."""

    batch: str | None = None
    champion: str | None = None
    recipe: str | None = None


class Registered(RunFile):
    """The version that a run has asked for: the same one when the run is repeated."""

    inputs: RegisteredInputs
    request: VersionRequest


_HISTORY = TypeAdapter(list[GoldenFigures])


def read_history(path: Path) -> list[GoldenFigures]:
    """Read the golden figures of earlier versions.

    Raises:
        Invalid: The file is missing, or is no such list.
    """
    try:
        return _HISTORY.validate_json(_content(path))
    except ValidationError as error:
        raise _invalid(path, "list of GoldenFigures", error) from error


def write_history(path: Path, history: Sequence[GoldenFigures]) -> None:
    """Write the golden figures of earlier versions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_HISTORY.dump_json(list(history), by_alias=True, indent=1))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(
            f"{path} cannot be read ({error.strerror}). Run the step again that writes it."
        ) from error


def _invalid(origin: object, kind: str, error: ValidationError) -> Invalid:
    wrong = "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}"
        for each in error.errors()[:3]
    )
    return Invalid(f"{origin} is no {kind} ({wrong}). Run the step again that writes it.")
