"""The messages of the story, as the base training has laid them out.

`teach` and `judge` are halves of the held-back tactic, disjoint also in near-duplicates: what is in
`teach` may be reported and learned from; what is in `judge` only ever measures.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from shield.errors import Misconfigured


@dataclass(frozen=True)
class Message:
    """One real message with its true label."""

    id: str
    text: str
    scam: bool
    tactic: str


@dataclass(frozen=True)
class Corpus:
    """All messages of one story."""

    teach: list[Message]
    judge: list[Message]
    golden: list[Message]
    traffic: list[Message]
    tactics: list[str]
    """The held-back tactics, each in its most typical words."""

    @classmethod
    def read(cls, directory: Path) -> "Corpus":
        """Read what the base training wrote.

        Raises:
            Misconfigured: A part is missing, or a judging message is also a teaching one.
        """
        try:
            parts = {
                name: _read(directory / f"{name}.jsonl")
                for name in ("teach", "judge", "golden", "traffic")
            }
            story = json.loads((directory / "story.json").read_text())
        except FileNotFoundError as error:
            raise Misconfigured(
                f"{error.filename} is missing, so there is no story to tell. "
                "Remove the cached base model and run `make demo` again."
            ) from error
        told = {message.text for message in [*parts["teach"], *parts["traffic"]]}
        both = [
            message.id for message in [*parts["judge"], *parts["golden"]] if message.text in told
        ]
        if both:
            raise Misconfigured(
                f"Message {both[0]} in {directory} would both teach and judge. "
                "Remove the cached base model and run `make demo` again."
            )
        tactics = [
            f"{', '.join(tactic['words'])} ({tactic['count']} messages)"
            for tactic in story["tactics"]
        ]
        return cls(**parts, tactics=tactics)


def _read(path: Path) -> list[Message]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Message(str(row["id"]), row["text"], bool(row["label"]), str(row.get("tactic") or ""))
        for row in rows
    ]
