"""A saved mail is the same text on the phone as on the server, whatever its parts and charsets."""

import base64
import json
import random
import subprocess
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from api.pages.build import node_folder
from shield.errors import Invalid, TooLarge
from shield.mail import read_mail
from shield.mail_parts import MOST_BYTES
from tests.support.judge import bundler
from tests.support.mails import HEADERS, LIMITS, UNPACKED, VECTORS
from tests.support.odd_texts import odd_texts

RUNNER = Path(__file__).parents[2] / "support/mails.mjs"


def on_phone(mails: list[bytes], *arguments: str) -> list[dict[str, Any]]:
    """Return what the phone makes of each mail, the seconds of processor time, and the work."""
    bundler()
    done = subprocess.run(
        [node_folder() / "node", RUNNER, *arguments],
        input=json.dumps([base64.b64encode(mail).decode() for mail in mails]),
        check=True,
        capture_output=True,
        text=True,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def on_server(mail: bytes) -> str | None:
    try:
        return read_mail(mail)
    except Invalid:
        return None
    except TooLarge:
        return "too much"


MAIL_WITH_TEXT = b"Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n"
BROKEN = {
    "an unknown charset": b"Subject: a\nContent-Type: text/plain; charset=no-such\n\nb",
    "a boundary that never comes": b"Subject: a\nContent-Type: multipart/mixed; boundary=x\n\nhi",
    "parts without end": b"Subject: a\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n--x",
    "no boundary": b"Subject: a\nContent-Type: multipart/mixed\n\n--x\n\nhi",
    "base64 of nothing": b"Subject: a\nContent-Transfer-Encoding: base64\n\n!!!",
    "half a tag": b"Subject: a\nContent-Type: text/html\n\n<a href='http://[1'>x</a><p",
    "a type of one word": b"Subject: a\nContent-Type: text\n\nhello",
    "headers alone": b"Subject: a",
    "bytes of no charset": b"From: \xff\xfe\n\n\xff\xfe",
    "a number of 9000 digits": b"Subject: a\nContent-Type: text/html\n\n&#" + b"1" * 9000 + b"; b",
    "nothing": b"",
    "a picture": b"\x89PNG\r\n\x1a\n\x00",
}


def test_known_mails_are_the_text_that_a_reader_sees() -> None:
    """The phone reads the same mails in `tests/browser`: Node lacks charsets that browsers have."""
    server = {name: on_server(mail) for name, (mail, _) in VECTORS.items()}
    assert server == {name: text for name, (_, text) in VECTORS.items()}


def test_a_broken_mail_is_read_as_far_on_the_phone_as_on_the_server() -> None:
    server = {name: on_server(mail) for name, mail in BROKEN.items()}
    phone = [answer["text"] for answer in on_phone([*BROKEN.values()])]
    assert dict(zip(BROKEN, phone, strict=True)) == server


def made(draw: random.Random, text: str, depth: int = 0) -> EmailMessage:
    """Make a mail of a text, as programs make them."""
    mail = EmailMessage()
    mail["From"] = "Ada <ada@example.org>"
    mail["Subject"] = draw.choice(["Hello", "Grüße \U0001f4e6", "您的包裹"])
    encoding = draw.choice(["base64", "quoted-printable", "8bit"])
    mail.set_content(text, cte=encoding)
    if draw.random() < 0.6:
        words = text.replace("<", "&lt;")
        link = f"<a href='https://{draw.choice(['a.example/x', 'B.example', '1.2.3.4:80'])}'>"
        html = f"<html><head><style>x</style></head><p>{words}{link}{words[:9]}</a><br>b.example"
        mail.add_alternative(html, subtype="html", cte=encoding)
    if draw.random() < 0.3:
        mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    if depth < 2 and draw.random() < 0.3:
        mail.add_attachment(made(draw, text[::-1], depth + 1))
    return mail


def test_mails_of_odd_texts_are_the_same_on_the_phone() -> None:
    draw = random.Random(20)
    texts = [text.replace("\r", " ") for text in odd_texts(20, 400)]
    mails = [
        bytes(made(draw, "".join(c for c in text if c.isprintable() or c == " "))) for text in texts
    ]
    phone = [answer["text"] for answer in on_phone(mails)]
    assert phone == [read_mail(mail) for mail in mails]


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<a href=http://a.b>", "<!--", "&amp", "&#0", "<style>", "</a>"]
)
def test_hostile_html_is_read_in_linear_time_on_the_phone(unit: str) -> None:
    head = b"Subject: a\nContent-Type: text/html\n\n"
    mails = [head + (unit * size)[:size].encode() for size in (20_000, 160_000)]
    for _ in range(3):  # a busy machine may disturb one measurement, not three
        short, long = (answer["seconds"] for answer in on_phone(mails))
        if long <= 0.1 + 3 * 8 * short:
            return
    raise AssertionError(f"{short} s for 20 kB, {long} s for 160 kB")


def test_both_refuse_the_same_mails_as_too_much() -> None:
    read = [mail for mail, _ in LIMITS.values()]
    over = [mail for _, mail in LIMITS.values()]
    assert [on_server(mail) for mail in read] == ["a\nhello"] * len(read)
    assert [answer["text"] for answer in on_phone(read)] == ["a\nhello"] * len(read)
    assert [on_server(mail) for mail in over] == ["too much"] * len(over)
    assert [answer["text"] for answer in on_phone(over)] == ["too much"] * len(over)


@pytest.mark.timeout(120)  # ends what hangs
def test_no_header_stops_or_breaks_a_reader_and_both_read_the_same() -> None:
    read = dict(zip(HEADERS, on_phone([mail for mail, _ in HEADERS.values()]), strict=True))
    phone = {kind: answer["text"] for kind, answer in read.items()}
    assert phone == {kind: text for kind, (_, text) in HEADERS.items()}


def test_a_fault_of_the_parser_is_not_told_as_too_much() -> None:
    (answer,) = on_phone([b"Subject: a\n\nhello"], "broken")
    assert answer["text"] == "fault"


def test_of_a_long_mail_both_read_the_beginning() -> None:
    mail = MAIL_WITH_TEXT + b"--b\nContent-Type: image/png\n\n" + b"x" * 3_000_000 + b"\n--b--\n"
    (answer,) = on_phone([mail])
    assert (answer["text"], answer["cut"]) == (on_server(mail), True) == ("a\nhello", True)
    assert answer["work"]["bytes"] == MOST_BYTES


def test_all_mails_in_a_mail_have_one_budget() -> None:
    """What is unpacked is counted too, before it is parsed."""
    forwarded = LIMITS["mails in mails"][0]
    nested, unpacked, over = on_phone([forwarded, UNPACKED, LIMITS["mails in mails"][1]])
    assert nested["work"]["parses"] == 6
    assert len(forwarded) < nested["work"]["bytes"] <= 6 * len(forwarded)
    assert unpacked["text"] == "too much"
    assert unpacked["work"]["parses"] == 2
    assert unpacked["work"]["pauses"] < 20, "the mail in it was not parsed"
    assert over["work"]["parses"] == 6


def test_the_page_goes_on_while_a_mail_is_read() -> None:
    (answer,) = on_phone([LIMITS["lines"][0]])
    assert answer["work"]["pauses"] == answer["work"]["lines"] // 500 == 40
