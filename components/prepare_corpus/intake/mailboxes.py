"""Mails as a table: one file of a mail, a folder of them, or a mailbox."""

import email.utils
import mailbox
from collections.abc import Iterable
from email.message import Message
from pathlib import Path

from components.prepare_corpus.intake.table import BadRow, Table, table_of
from components.prepare_corpus.mails import mail_text
from shield.errors import Invalid, TooLarge
from shield.mail import header_of
from shield.mail_parts import opened

COLUMNS = ["text", "date"]


def of_mails(files: list[Path]) -> Table:
    """Return mails, each a file of its own; they bring no labels."""
    mails = (file.read_bytes() for file in files)
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
        return _table((box.get_bytes(key) for key in box.iterkeys()), "mailbox (mbox)")
    finally:
        box.close()


def _table(mails: Iterable[bytes], kind: str) -> Table:
    """Read mails within the limits of `shield.mail_parts`: they are strangers', and most are scams.

    One that is beyond them is listed, and holds up no other.
    """
    rows: list[list[str | None]] = []
    places: list[int] = []
    bad: list[BadRow] = []
    for place, raw in enumerate(mails, start=1):
        try:
            mail = opened(raw)
        except TooLarge as error:
            bad.append(BadRow(place, error.message))
            continue
        text = mail_text(mail, header_of(mail, "Subject"))
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
