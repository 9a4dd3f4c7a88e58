"""What the story ends with: a table for people, and the same figures as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from cli.demo.measure import Score
from cli.demo.traffic import Loyalty
from cli.home import write_whole


@dataclass
class Figures:
    """Everything that was measured, as it was measured."""

    seed: int
    tactics: list[str] = field(default_factory=list)
    tactic: list[Score] = field(default_factory=list)
    """On messages of the new tactic that nobody learned from: before and, if a version was
    released, after."""
    golden: list[Score] = field(default_factory=list)
    """On the golden set: before and, if a version was released, after."""
    loyalty: Loyalty | None = None
    requests: int = 0
    failed_requests: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)
    """Version and arm to answers, e.g. `{"sms-v2 candidate": 310}`."""
    known: dict[str, int] = field(default_factory=dict)
    """Of the missed scams that somebody got after the review: how many were `answered` or `marked`
    by known campaigns; and `answered_ms`, from a decision to the answer of somebody else's copy."""
    rollback_ms: float | None = None
    """Until the last answer of the version taken back; None without an undo."""
    ending: str = "released"
    """`released`, or `refused` by a gate, `rejected` on trial, `held` for slow answers."""
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """`before`, `after` (the new version, if one was trained) and `serving` (at the end)."""
    evaluation_report: Path | None = None
    data_directory: Path | None = None

    def document(self) -> dict[str, Any]:
        """Return the figures as the report file has them."""
        # Without a release the same version answers: before is after.
        (tactic, tactic_now), (golden, golden_now) = _ends(self.tactic), _ends(self.golden)
        told = {} if self.ending == "released" else {"ending": self.ending}
        return told | {
            "recall_new_tactic": {"before": tactic.recall, "after": tactic_now.recall},
            "golden_accuracy": {"before": golden.accuracy, "after": golden_now.accuracy},
            "golden_fpr": {"before": golden.fpr, "after": golden_now.fpr},
            "known": dict(self.known),
            "requests": self.requests,
            "failed_requests": self.failed_requests,
            "rollback_ms": None if self.rollback_ms is None else round(self.rollback_ms, 1),
            "seconds": {name: round(seconds, 2) for name, seconds in self.seconds.items()},
            "versions": self.versions,
            "seed": self.seed,
        }

    def write(self, path: Path) -> None:
        """Write the report file, whole or not at all."""
        write_whole(path, (json.dumps(self.document(), indent=2) + "\n").encode())

    def table(self) -> Table:
        """Return the table of the end."""
        (tactic, tactic_now), (golden, golden_now) = _ends(self.tactic), _ends(self.golden)
        table = Table(
            box=None, pad_edge=False, header_style="quiet", title_justify="left", show_edge=False
        )
        released = len(self.tactic) > 1
        changed = (tactic_now.version, "change") if released else ()
        for name in ("", tactic.version, *changed):
            table.add_column(name, justify="left" if not name else "right")
        rows = [
            ("recall on the new tactic", tactic.recall, tactic_now.recall, tactic.scams, 1),
            ("recall on the golden set", golden.recall, golden_now.recall, golden.scams, 1),
            ("false alarms on the golden set", golden.fpr, golden_now.fpr, golden.harmless, -1),
            (
                "accuracy on the golden set",
                golden.accuracy,
                golden_now.accuracy,
                golden.scams + golden.harmless,
                1,
            ),
        ]
        for name, before, after, count, good in rows:
            gain = (after - before) * 100
            style = "quiet" if abs(gain) < 0.005 else "good" if gain * good > 0 else "bad"
            now = (f"[figure]{after:.1%}[/]", f"[{style}]{gain:+.1f} points[/]")
            table.add_row(
                f"{name} [quiet](n = {count})[/]", f"{before:.1%}", *(now if released else ())
            )
        return table

    def facts(self) -> Table:
        """Return the table of what happened meanwhile."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="quiet")
        table.add_column(overflow="fold")
        bad = "good" if self.failed_requests == 0 else "bad"
        table.add_row("requests", f"{self.requests:,}, failed: [{bad}]{self.failed_requests}[/]")
        for name, count in self.answers.items():
            table.add_row(f"answers of {name}", f"{count:,}")
        if self.loyalty:
            kept = self.loyalty
            table.add_row(
                "users on one arm",
                f"{kept.users} watched, {kept.candidate_users} met the candidate, "
                f"{kept.back_and_forth} went back and forth",
            )
        if self.rollback_ms is not None:
            table.add_row("undo", f"{self.rollback_ms:.0f} ms until the last answer taken back")
        named = self.versions
        new = f"then {named['after']}" if "after" in named else "no new one"
        new += "" if self.ending == "released" else f" ({self.ending})"
        table.add_row("versions", f"{named['before']}, {new}, at the end {named['serving']}")
        times = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.seconds.items())
        table.add_row("seconds", times)
        if self.evaluation_report is not None:
            table.add_row("evaluation report", str(self.evaluation_report))
        table.add_row("data directory", str(self.data_directory))
        return table


def _ends(scores: list[Score]) -> tuple[Score, Score]:
    return scores[0], scores[-1]
