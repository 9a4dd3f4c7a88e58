"""Saved mails, and the text that their reader sees: of every kind that a phone meets."""

import base64


def lines(*parts: str, charset: str = "utf-8") -> bytes:
    return "\r\n".join(parts).encode(charset)


ALTERNATIVE = lines(
    "From: =?utf-8?q?Royal_Mail?= <notice@rm-fee.example>",
    "Subject: =?utf-8?b?SWhyIFBha2V0?=",
    " =?utf-8?q?_wartet_=F0=9F=93=A6?=",
    'Content-Type: multipart/mixed; boundary="out er"',
    "",
    "A preamble that nobody sees.",
    "--out er",
    "Content-Type: multipart/alternative; boundary=inner",
    "",
    "--inner",
    "",
    "Plain words",
    "--inner",
    "Content-Type: text/html; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    '<p>Pay the fee of =E2=82=AC 1.99 at <a href=3D"https://rm-fee.example/=',
    'x">royalmail.com</a></p><style>p{}</style>',
    "--inner--",
    "--out er",
    'Content-Type: text/html; name="bill.html"',
    "Content-Disposition: attachment",
    "",
    "<p>An attachment</p>",
    "--out er--",
)
FORWARDED = lines(
    "From: ada@example.org",
    "Subject: Fwd: is this real?",
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: message/rfc822",
    "",
    "From: bank@evil.example",
    "Subject: Your account",
    "Content-Type: text/html",
    "",
    "Log in <a href='http://evil.example'>here</a> now",
    "--b--",
)
VECTORS = {
    "multipart": (
        ALTERNATIVE,
        "Royal Mail <notice@rm-fee.example>\nIhr Paket wartet \U0001f4e6\n"
        "Pay the fee of € 1.99 at royalmail.com (https://rm-fee.example/x)",
    ),
    "html only": (
        lines(
            "Subject: Hi",
            "Content-Type: text/html",
            "",
            "<head><title>t</title></head><!-- no --><p>1 &lt; 2 &amp;amp; &#8364;&#x41;&nbsp;b",
            "<b>o</b>ld &notit; &#0;&#150;&#9999999;&#xD800; <a href=http://[::1]/x>in</a>",
            "<script>steal()</script> bye<!-- open",
        ),
        "Hi\n1 < 2 &amp; €A b old ¬it; \ufffd–\ufffd\ufffd in (http://[::1]/x) bye",
    ),
    "base64": (
        lines(
            "From: a@b.example",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            base64.encodebytes("Grüße aus Köln, 5 €".encode()).decode(),
        ),
        "a@b.example\nGrüße aus Köln, 5 €",
    ),
    "quoted-printable": (
        lines(
            "Subject: q",
            "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes",
            "Content-Transfer-Encoding: Quoted-Printable",
            "",
            "one =C3=BC=",
            "ber =ZZ two ",
            "three=20",
        ),
        "q\none über =ZZ two three",
    ),
    "latin-1, as programs read it": (
        lines(
            "Subject: =?iso-8859-1?q?=A35_=96_now?=", "Content-Type: text/plain; charset=latin1", ""
        )
        + b"\r\nCaf\xe9 \x93free\x94",
        "£5 – now\nCafé “free”",
    ),
    "utf-8, in headers too": (
        lines("From: Jörg <j@x.example>", "Subject: Grüße", "Content-Type: text/plain", "", "Näh"),
        "Jörg <j@x.example>\nGrüße\nNäh",
    ),
    "gb2312, with a character that only gbk has": (
        lines(
            "Subject: x",
            "Content-Type: text/plain; charset=gb2312",
            "",
            "您的包裹 鎔",
            charset="gbk",
        ),
        "x\n您的包裹 鎔",
    ),
    "a mail in a mail": (
        FORWARDED,
        "ada@example.org\nFwd: is this real?\nLog in here (http://evil.example) now",
    ),
    "no mail": (b"hello there", None),
}
"""Kind -> the mail, and its text; None: it is no mail."""


def _parts_in_parts(depth: int) -> bytes:
    head = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
    return b"Subject: a\n" + b"".join(head % (n, n) for n in range(depth)) + b"\nhello"


def _mails_in_mails(depth: int) -> bytes:
    return b"Subject: a\n" + b"Content-Type: message/rfc822\n\n" * depth + b"\nhello"


def _lines(count: int) -> bytes:
    return b"Subject: a\n\nhello" + b"\n" * (count - 2)


def _parts(count: int) -> bytes:
    head = b"Subject: a\nContent-Type: multipart/mixed; boundary=x\n"
    return head + b"\n--x\n\nhello" + b"\n--x\n" * (count - 1)


def _headers(count: int) -> bytes:
    return b"Subject: a\n" + b"X: y\n" * (count - 1) + b"\nhello"


_FORWARDS = b"Subject: a\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
LIMITS = {
    "lines": (_lines(20_000), _lines(20_001)),
    "lines of another kind": (_lines(20_000).replace(b"\n", b"\r\n"), b"Subject: a\r" * 20_001),
    "parts": (_parts(1_000), _parts(1_001)),
    "headers": (_headers(1_000), _headers(1_001)),
    "headers of a part": (
        _parts(1).replace(b"--x\n", b"--x\n" + b"X: y\n z\n" * 1_000),
        _parts(1).replace(b"--x\n", b"--x\n" + b"X: y\n z\n" * 1_001),
    ),
    "mails in mails": (_mails_in_mails(5), _mails_in_mails(6)),
    "parts in parts": (_parts_in_parts(20), _parts_in_parts(21)),
    "mails in mails without end": (_mails_in_mails(5), _mails_in_mails(15_000)),
    "parts in parts without end": (_parts_in_parts(20), _parts_in_parts(900)),
}
"""What is limited -> a mail that is just read (subject a, body hello), and one that is too much."""


def _typed(kind: str, *more: str) -> bytes:
    return lines("Subject: a", f"Content-Type: {kind}", *more, "", "hello")


def _cut(unit: str, count: int = 2_000 - len("Subject: ")) -> str:
    return (unit * count)[:count]


HEADERS = {
    "encoded words without end": (
        lines("Subject: " + "=?a?q?x" * 35_000, "", "hello"),
        f"{_cut('=?a?q?x')}\nhello",
    ),
    "encoded words without end, in many lines": (
        lines("Subject: a", *[" =?a?q?x"] * 10_000, "", "hello"),
        f"a {_cut(' =?a?q?x', 1_990).strip()}\nhello",
    ),
    "half a character": (lines("Subject: " + "ä" * 9_000, "", "b"), f"{'ä' * 995}\ufffd\nb"),
    "a name without end": (lines("X" * 9_000 + ": b", "Subject: a", "", "hello"), "a\nhello"),
    "what follows a long header": (
        lines("To: " + "b, " * 9_000, " c", "Subject: a", "", "hello"),
        "a\nhello",
    ),
    "quotes without end": (_typed('text/plain;"' + ";" * 250_000), "a\nhello"),
    "a charset behind the end": (_typed("text/html;" + " " * 9_000 + "charset=no"), "a\nhello"),
    "blocks of a delivery status": (
        lines("Subject: a", "Content-Type: message/delivery-status", *["", "X: y"] * 3_000, "hello")
        + b"\n" * 9_000,
        "a\n" + " ".join(["X: y"] * 2_999) + " hello",
    ),
    "a file's name in a codec that is none": (
        _typed("text/plain", "Content-Disposition: attachment; filename*=undefined''x"),
        "a",
    ),
    "a file's name in sections and whole": (_typed("text/plain; name*=a; name*0=b"), "a"),
    "sections that do not fit": (_typed("text/plain; x*=a; x*0=b; charset=utf-8"), "a\nhello"),
    "a section of many digits": (
        _typed(f"text/plain; x*{'1' * 5_000}=a", "Content-Disposition: inline"),
        "a\nhello",
    ),
    "a charset in a codec of quadratic time": (
        _typed("text/plain; charset*=punycode''a-" + "a" * 400_000),
        "a\nhello",
    ),
    "a charset in a codec that is none": (_typed("text/plain; charset*=undefined''x"), "a\nhello"),
    "a boundary in a codec that is none": (
        lines(
            "Subject: a",
            "Content-Type: multipart/mixed; boundary*=undefined''x",
            "",
            "--x",
            "",
            "b",
        ),
        "a\nb",
    ),
    "a boundary in sections that do not fit": (
        lines(
            "Subject: a",
            "Content-Type: multipart/mixed; y*=a; y*0=b; boundary=x",
            "",
            "--x",
            "",
            "b",
        ),
        "a\nb",
    ),
}
"""Headers made to cost their reader hours, or to break it -> the mail, and its text."""
UNPACKED = _FORWARDS + base64.encodebytes(b"Subject: b\n\n" + b"\n" * 340_000)
"""A mail of few lines; the mail in it, once it is decoded, has more lines than all that is read."""
