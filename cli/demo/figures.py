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
    """On messages of the new tactic that nobody learned from: before, after."""
    golden: list[Score] = field(default_factory=list)
    """On the golden set: before, after."""
    loyalty: Loyalty | None = None
    requests: int = 0
    failed_requests: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)
    """Version and arm to answers, e.g. `{"sms-v2 candidate": 310}`."""
    rollback_ms: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """`before`, `after` (the new version) and `serving` (at the end)."""
    evaluation_report: Path | None = None
    data_directory: Path | None = None

    def document(self) -> dict[str, Any]:
        """Return the figures as the report file has them."""
        (tactic, tactic_now), (golden, golden_now) = self.tactic, self.golden
        return {
            "recall_new_tactic": {"before": tactic.recall, "after": tactic_now.recall},
            "golden_accuracy": {"before": golden.accuracy, "after": golden_now.accuracy},
            "golden_fpr": {"before": golden.fpr, "after": golden_now.fpr},
            "requests": self.requests,
            "failed_requests": self.failed_requests,
            "rollback_ms": round(self.rollback_ms, 1),
            "seconds": {name: round(seconds, 2) for name, seconds in self.seconds.items()},
            "versions": self.versions,
            "seed": self.seed,
        }

    def write(self, path: Path) -> None:
        """Write the report file, whole or not at all."""
        write_whole(path, (json.dumps(self.document(), indent=2) + "\n").encode())

    def table(self) -> Table:
        """Return the table of the end."""
        (tactic, tactic_now), (golden, golden_now) = self.tactic, self.golden
        table = Table(
            box=None, pad_edge=False, header_style="quiet", title_justify="left", show_edge=False
        )
        for name in ("", tactic.version, tactic_now.version, "change"):
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
            table.add_row(
                f"{name} [quiet](n = {count})[/]",
                f"{before:.1%}",
                f"[figure]{after:.1%}[/]",
                f"[{style}]{gain:+.1f} points[/]",
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
        table.add_row("undo", f"{self.rollback_ms:.0f} ms until the last answer taken back")
        named = self.versions
        table.add_row(
            "versions", f"{named['before']}, then {named['after']}, at the end {named['serving']}"
        )
        times = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.seconds.items())
        table.add_row("seconds", times)
        table.add_row("evaluation report", str(self.evaluation_report))
        table.add_row("data directory", str(self.data_directory))
        return table
