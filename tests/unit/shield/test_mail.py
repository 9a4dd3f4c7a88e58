"""A mail as it was received becomes what its reader sees."""

import sys
import time
from email.message import EmailMessage

import pytest

from shield.errors import Invalid, TooLarge
from shield.mail import read_mail, text_of_html
from shield.mail_parts import opened
from tests.support.mails import HEADERS, LIMITS


def test_the_html_part_is_read_and_each_link_tells_where_it_leads():
    mail = EmailMessage()
    mail["From"] = "Royal Mail <notice@rm-fee.example>"
    mail["Subject"] = "Ihr Paket wartet \U0001f4e6"
    mail.set_content("Plain words that nobody sees")
    mail.add_alternative(
        "<style>p{color:red}</style><p>Pay the fee at "
        '<a href="https://rm-fee.example/x">royalmail.com</a></p><script>steal()</script>',
        subtype="html",
    )
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="invoice.pdf")
    text = read_mail(bytes(mail))
    assert text.splitlines()[:2] == [
        "Royal Mail <notice@rm-fee.example>",
        "Ihr Paket wartet \U0001f4e6",
    ]
    assert text.splitlines()[2] == "Pay the fee at royalmail.com (https://rm-fee.example/x)"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252"])
@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_any_charset_and_encoding_is_undone(charset: str, encoding: str):
    mail = EmailMessage()
    mail["Subject"] = "Gr\u00fc\u00dfe"
    mail.set_content("Bitte \u00fcberweisen Sie f\u00fcr Caf\u00e9", charset=charset, cte=encoding)
    assert read_mail(bytes(mail)) == "Gr\u00fc\u00dfe\nBitte \u00fcberweisen Sie f\u00fcr Caf\u00e9"


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: a\nContent-Type: text/plain; charset=no-such\n\nb",
        b"Subject: =?no-such?b?//8=?=\n\nb",
        b"Subject: a\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n--x",
        b"Subject: a\nContent-Transfer-Encoding: base64\n\n!!!",
        b"Subject: a\nContent-Type: text/html\n\n<a href='http://[1'>x</a><p",
        b"From: \xff\xfe\n\n\xff\xfe",
        b"Subject: a\nContent-Type: text/html\n\n&#" + b"1" * 9000 + b"; b",
        b"Subject: a\nContent-Type: text/plain; charset=utf-7\n\n+2AA-",
        b"Subject: a\nContent-Type: text/plain; charset=raw_unicode_escape\n\n\\ud800",
        b"Subject: =?raw_unicode_escape?q?=5Cud800?=\n\nb",
        b"Subject: =?undefined?q?x?=\n\nb",
    ],
)
def test_a_broken_mail_is_read_as_far_as_it_goes(raw: bytes):
    assert read_mail(raw).encode().startswith((b"a", b"=?", b"b", b"\xef"))


def test_numbers_of_characters_are_undone_whatever_zeros_stand_before_them():
    assert text_of_html("&#0000000000065;&#x0042;" + f"&#{'0' * 9000}67;") == "ABC"
    assert text_of_html(f"&#{'9' * 9000};!") == "\ufffd!"


def test_a_codec_of_python_s_own_is_no_charset_of_a_mail():
    body = b"a-" + b"z9" * 100_000
    read = read_mail(b"Subject: s\nContent-Type: text/plain; charset=punycode\n\n" + body)
    assert read.startswith("s\na-z9z9")


@pytest.mark.parametrize("raw", [b"", b"hello there", b"\x89PNG\r\n\x1a\n\x00", b"{}"])
def test_what_is_no_mail_is_refused_with_the_cure(raw: bytes):
    with pytest.raises(Invalid, match=r"\.eml"):
        read_mail(raw)


def test_a_link_that_says_where_it_leads_is_not_said_twice():
    assert text_of_html('<a href="https://a.example/x">a.example</a>').strip() == "a.example"


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<a href=http://a.b>", "<!--", "&amp", "<style>", "</a>"]
)
def test_hostile_html_is_read_in_linear_time(unit: str):
    def seconds(size: int) -> float:
        started = time.process_time()
        text_of_html((unit * size)[:size])
        return time.process_time() - started

    assert any(seconds(64_000) <= 0.05 + 3 * 8 * seconds(8_000) for _ in range(3))


@pytest.mark.parametrize("limit", LIMITS)
def test_what_is_too_much_is_refused_with_the_cure_and_little_work(limit: str):
    fits, over = LIMITS[limit]
    assert read_mail(fits) == "a\nhello"
    assert calls_of(fits) < 3_000_000
    with pytest.raises(TooLarge, match="scan them as a text"):
        read_mail(over)


@pytest.mark.timeout(60)  # ends what hangs
@pytest.mark.parametrize("kind", HEADERS)
def test_no_header_stops_or_breaks_the_reader(kind: str):
    mail, text = HEADERS[kind]
    assert read_mail(mail) == text
    assert calls_of(mail) < 3_000_000


@pytest.mark.timeout(60)
def test_a_delivery_status_has_no_more_parts_than_another_mail():
    mail, _ = HEADERS["blocks of a delivery status"]
    assert len(list(opened(mail).walk())) == 2


def calls_of(mail: bytes) -> int:
    """Return how many calls it takes to read a mail."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        read_mail(mail)
    finally:
        sys.setprofile(None)
    return calls
