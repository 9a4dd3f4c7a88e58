"""Mails that strangers wrote, as somebody adds them to a corpus: read alike, and in no time."""

import random
import re
from pathlib import Path

import pytest

from components.prepare_corpus.intake.rows import Reading, read_rows
from components.prepare_corpus.intake.table import HowToRead
from components.prepare_corpus.mails import without_code, without_tags
from shield.labels import ModelType

WEB = b"Subject: x\nContent-Type: text/html\n\n<p>"


def read(folder: Path, *mails: bytes) -> Reading:
    mailed = folder / "mails"
    mailed.mkdir()
    for place, mail in enumerate(mails):
        (mailed / f"{place}.eml").write_bytes(mail)
    return read_rows(mailed, ModelType.PHISHING, how=HowToRead(label="phishing"))


def test_a_subject_in_a_code_teaches_as_it_is_read(tmp_path: Path) -> None:
    coded = b"Subject: =?utf-8?B?RHJpbmdlbmQ6IElociBLb250bw==?=\nFrom: a@b.example\n\nBitte\n"
    assert read(tmp_path, coded).rows["text"].to_list() == ["Dringend: Ihr Konto Bitte"]
    box = tmp_path / "box.mbox"
    box.write_bytes(b"From a@b.example Mon Jan  1 00:00:00 2024\n" + coded + b"\n")
    boxed = read_rows(box, ModelType.PHISHING, how=HowToRead(label="phishing"))
    assert boxed.rows["text"].to_list() == ["Dringend: Ihr Konto Bitte"]


def test_a_mail_beyond_all_limits_is_listed_and_holds_up_no_other(tmp_path: Path) -> None:
    nested = b"Subject: x\n" + b"Content-Type: message/rfc822\n\n" * 3000 + b"Subject: y\n\nhi\n"
    reading = read(tmp_path, b"Subject: win\n\nnow\n", nested)
    assert reading.rows["text"].to_list() == ["win now"]
    ((line, why),) = [(each.line, each.why) for each in reading.bad]
    assert (line, "mails in mails" in why) == (2, True)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "mail",
    [
        WEB + b"<style " * 60_000,
        WEB + b"<!--" * 100_000,
        WEB + b"<" * 450_000,
        b"Subject: x\nContent-Type: text/html\n\n" + b"<p " * 150_000,
        b'Subject: "' + b";" * 250_000 + b'\nContent-Type: text/plain; a="' + b";" * 200_000,
    ],
    ids=["styles", "comments", "brackets", "tags", "header"],
)
def test_no_mail_takes_minutes(mail: bytes, tmp_path: Path) -> None:
    assert read(tmp_path, mail).rows.height == 1


def test_code_and_tags_are_taken_out_as_by_the_patterns_that_took_quadratic_time() -> None:
    pieces = ["<script", "</script>", "<STYLE>", "</style>", "<!--", "-->", "<", ">", "a", "\n"]
    pieces += ["x" * 1999, "y" * 2001, "<p "]
    for seed in range(2000):
        rng = random.Random(seed)
        html = "".join(rng.choices(pieces, k=rng.randint(1, 14)))
        plain = re.sub(r"(?is)<(script|style).*?</\1>|<!--.*?-->", " ", html)
        assert without_code(html) == plain
        assert without_tags(plain) == re.sub(r"(?s)<[^>]{0,2000}>", " ", plain)
