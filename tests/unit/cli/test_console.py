"""What people copy out of a table is whole, however narrow the terminal is."""

import io

import pytest

from cli.console import Terminal, as_table, rows_table

ID = "0193a5b0c0de7abc8def0123456789ab"
DIGEST = f"sha256:{'ab' * 32}"
ROW = {"id": ID, "digest": DIGEST, "runId": "weekly-sms-20261129T030000Z", "message": "word " * 40}


def shown(*items: object, width: int) -> str:
    terminal, page = Terminal(), io.StringIO()
    terminal.out.file, terminal.out.width = page, width
    terminal.answer(ROW, *items)
    return page.getvalue()


def test_no_id_is_broken_over_lines_in_a_narrow_table() -> None:
    told = shown(rows_table([ROW], ["message", "id", "digest", "runId"], empty=""), width=50)
    assert all(part in told for part in (ID, "sha256:abababababab", ROW["runId"]))


def test_the_facts_of_one_thing_hold_its_whole_digest() -> None:
    told = shown(as_table(ROW), width=40)
    assert all(part in told for part in (ID, DIGEST, ROW["runId"]))


@pytest.mark.parametrize(
    "text",
    ["[/INST] pay", "[urgent] pay", "Dear [name], pay", "[/]", "[bold]", "a[0] \\[x]", "["],
)
def test_brackets_in_a_message_are_shown_as_they_are_written(text: str) -> None:
    assert shown(f"Message: {text}", width=80) == f"Message: {text}\n"
    terminal, page = Terminal(), io.StringIO()
    terminal.err.file = page
    terminal.say(f"[bad]failed[/] {text}")
    assert page.getvalue() == f"failed {text}\n"
