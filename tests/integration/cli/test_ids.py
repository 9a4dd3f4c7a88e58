"""Each argument of `shieldctl` that is an id takes its beginning, and says what is wrong."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.main import main
from shield.wire import (
    LineageKind,
    NamedKind,
)
from tests.support.api import RunningApi
from tests.support.cli_ids import id_arguments
from tests.support.packages import linear_package

WHY = ["--reason", "tried out"]
LINES: dict[str, list[str]] = {
    "feedback send scan_id": ["feedback", "send", "{}", "false_negative"],
    "review scam feedback_id": ["review", "scam", "{}"],
    "review undo feedback_id": ["review", "undo", "{}", *WHY],
    "review harmless feedback_id": ["review", "harmless", "{}"],
    "review approve feedback_id": ["review", "approve", "{}"],
    "review reject feedback_id": ["review", "reject", "{}"],
    "model show name": ["model", "show", "sms", "{}"],
    "model taint name": ["model", "taint", "sms", "{}", *WHY],
    "model reinstate name": ["model", "reinstate", "sms", "{}", *WHY],
    "model compare old": ["model", "compare", "{}", "sms-v12"],
    "model compare new": ["model", "compare", "sms-v12", "{}"],
    "model push --parent": ["model", "push", "PACKAGE", "--parent", "{}"],
    "rollout start version": ["rollout", "start", "sms", "{}"],
    "pipeline show run_id": ["pipeline", "show", "{}"],
    "lineage name": ["lineage", "KIND", "{}"],
    "contest show contest_id": ["contest", "show", "{}"],
    "contest answer contest_id": ["contest", "answer", "{}", "Thank you."],
    "known show known_id": ["known", "show", "{}"],
    "known undo known_id": ["known", "undo", "{}", *WHY],
    "known unsubscribe feed_id": ["known", "unsubscribe", "{}"],
    "webhook show webhook_id": ["webhook", "show", "{}"],
    "webhook test webhook_id": ["webhook", "test", "{}"],
    "webhook replay webhook_id": ["webhook", "replay", "{}"],
    "webhook replay --message": ["webhook", "replay", "HOOK", "--message", "{}"],
    "webhook remove webhook_id": ["webhook", "remove", "{}"],
}
"""Argument -> a line with it, in an order in which each can be carried out."""
Run = Callable[[list[str]], tuple[int, str]]
BEGINS = {
    NamedKind.VERSION: "sms-v",
    NamedKind.RUN: "weekly-",
    NamedKind.REPORTER: "r-",
    NamedKind.EVENT: "msg_",
    NamedKind.BATCH: "sms-",
}
"""Kind -> how all of them begin; the others begin with the time, in digits."""
SAME = {"review scam feedback_id", "review undo feedback_id"}
"""Leave their item to the next line, which needs it so."""


@pytest.fixture
def run(full_api: RunningApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a line as somebody with all roles, and returns its code and its words."""
    there = [
        "--api-url",
        full_api.url,
        "--token",
        full_api.token("rita", "user", "reviewer", "admin"),
    ]

    def call(line: list[str]) -> tuple[int, str]:
        with pytest.raises(SystemExit) as done:
            main([*there, "--data-dir", str(tmp_path / "home"), *line])
        said = capsys.readouterr()
        return int(str(done.value.code)), said.out + said.err

    return call


def test_every_id_may_be_typed_by_its_beginning(
    full_api: RunningApi, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = linear_package(tmp_path / "package")
    monkeypatch.setenv("SHIELD_TRUSTED_KEYS", str(made.trusted_keys))
    assert LINES.keys() == id_arguments().keys(), "give the new argument a line"
    with full_api.client("rita", "user", "reviewer", "admin") as rita:

        def ids(kind: NamedKind) -> list[str]:
            return [one.id for one in rita.names(kind, BEGINS.get(kind, "0"))]

        def shortest(kind: NamedKind, whole: str) -> str:
            lengths = range(1, len(whole) + 1)
            return next(whole[:n] for n in lengths if len(rita.names(kind, whole[:n])) == 1)

        (first_hook, *_), taken = ids(NamedKind.WEBHOOK), list(reversed(ids(NamedKind.FEEDBACK)))
        for argument, kind, line in told():
            words = {"PACKAGE": str(made.package.path), "HOOK": first_hook}
            line = [words.get(word, word) for word in line]
            first, second, *_ = ids(kind)  # two at least, to choose between
            code, said = run([word.replace("{}", "fe") for word in line])
            if kind is not NamedKind.REPORTER:  # it may be a user id
                assert "'fe'" in said, argument
                assert "Look" in said or "shieldctl" in said or "shows" in said, argument
            assert code == 1, f"{argument}: {said}"
            shared = next(
                first[:n] for n in range(len(first) - 1, 0, -1) if second.startswith(first[:n])
            )
            code, said = run([word.replace("{}", shared) for word in line])
            assert code == 1, f"{argument}: {said}"
            assert "begins several. Type more of the one you mean" in said, argument
            assert first in said, argument
            assert second in said, argument
            mine = first
            if kind is NamedKind.FEEDBACK:
                mine = taken[0] if argument in SAME else taken.pop(0)
            if kind is NamedKind.VERSION:  # sms-v1 begins sms-v10: its digest tells them apart
                mine = f"01{'e' * 62}"
            typed = shortest(kind, mine)
            assert len(typed) < len(mine), argument
            code, said = run([word.replace("{}", typed) for word in line])
            assert code == 0, f"{argument}: {said}"


def told() -> Iterator[tuple[str, NamedKind, list[str]]]:
    """Return argument, kind and line of each; what is told by another argument once for each."""
    for argument, line in LINES.items():
        kind = id_arguments()[argument]
        if isinstance(kind, NamedKind):
            yield argument, kind, line
            continue
        for each in LineageKind:
            yield argument, NamedKind(each.value), [each.value if w == "KIND" else w for w in line]
