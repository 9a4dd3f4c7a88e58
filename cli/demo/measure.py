"""Scores as users would see them: every message goes through the API to the version that serves."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cli.demo.corpus import Message
from cli.demo.people import Person
from shield.errors import Conflict
from shield.labels import ScanType, is_positive

_THREADS = 4


@dataclass(frozen=True)
class Score:
    """How one version did on one set of messages. Shares in [0, 1]."""

    version: str
    scams: int
    caught: int
    harmless: int
    false_alarms: int

    @property
    def recall(self) -> float:
        """Share of scams that were caught."""
        return self.caught / self.scams

    @property
    def fpr(self) -> float:
        """Share of harmless messages that were called scams."""
        return self.false_alarms / self.harmless

    @property
    def accuracy(self) -> float:
        """Share of right verdicts."""
        right = self.caught + self.harmless - self.false_alarms
        return right / (self.scams + self.harmless)


def score(tester: Person, messages: Sequence[Message]) -> Score:
    """Scan every message as `tester` and count the verdicts.

    Raises:
        Conflict: Two versions answered, so the score would belong to neither.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        scans = list(
            pool.map(lambda message: tester.client.scan(ScanType.TEXT, message.text), messages)
        )
    versions = {scan.model_version for scan in scans}
    if len(versions) != 1:
        raise Conflict(
            f"{' and '.join(sorted(versions))} answered while one version was measured. "
            "Another rollout is in progress; run the demo on a data directory of its own."
        )
    called = [is_positive(scan.model_type, scan.model_verdict) for scan in scans]
    pairs = list(zip(messages, called, strict=True))
    return Score(
        version=versions.pop(),
        scams=sum(message.scam for message in messages),
        caught=sum(message.scam and scam for message, scam in pairs),
        harmless=sum(not message.scam for message in messages),
        false_alarms=sum(not message.scam and scam for message, scam in pairs),
    )
