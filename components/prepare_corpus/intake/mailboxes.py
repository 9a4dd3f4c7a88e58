"""Mails as a table: one file of a mail, a folder of them, or a mailbox."""

import email
import email.policy
import email.utils
import mailbox
from email.message import Message
from pathlib import Path
from typing import Any

from components.prepare_corpus.intake.table import BadRow, Table, table_of
from components.prepare_corpus.mails import mail_text
from shield.errors import Invalid

COLUMNS = ["text", "date"]


def of_mails(files: list[Path]) -> Table:
    """Return mails, each a file of its own; they bring no labels."""
    mails = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.compat32) for file in files
    ]
    return _table(mails, "mail" if len(files) == 1 else f"{len(files)} mails")


def of_mailbox(file: Path) -> Table:
    """Return the mails of a mailbox (mbox); they bring no labels.

    Raises:
        Invalid: It is none.
    """
    with file.open("rb") as stream:
        if not stream.read(5) == b"From ":
            raise Invalid(f"{file} is no mailbox: it does not begin with `From `.")
    box = mailbox.mbox(file, create=False)
    try:
        return _table(list(box), "mailbox (mbox)")
    finally:
        box.close()


def _table(mails: list[Any], kind: str) -> Table:
    rows: list[list[str | None]] = []
    places: list[int] = []
    bad: list[BadRow] = []
    for place, mail in enumerate(mails, start=1):
        text = mail_text(mail)
        if text:
            rows.append([text, _date(mail)])
            places.append(place)
        else:
            bad.append(BadRow(place, "the mail has neither a subject nor a text"))
    return table_of(COLUMNS, rows, places, bad=bad, found={"kind": kind})


def _date(mail: "Message[str, str]") -> str | None:
    try:
        return email.utils.parsedate_to_datetime(str(mail["Date"])).isoformat()
    except (ValueError, TypeError, OverflowError):
        return None
