"""Read the headers of a mail that a stranger wrote: no length or parameter of theirs may matter.

The standard library takes quadratic time for long headers, and raises on some parameters that are
written in sections (RFC 2231), whatever its policy. The phone reads as much of each header
(`api/pages/assets/src/app/mail/limits.ts`).
"""

import codecs
import email.message
import re
from collections.abc import Sequence
from email.policy import Compat32

LONGEST_HEADER = 2_000
"""Bytes of a header that are read, its name among them; line ends are not counted."""
_NOT_OF_MAIL = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem"}
)
"""Codecs that Python has for itself. They make half characters, or take quadratic time."""
_AS_PROGRAMS_READ = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "utf-8": "utf-8-sig",
}
"""Charsets that mails name and do not keep to: what programs read instead (WHATWG Encoding)."""
_SECTION = r";\s*{name}(?:\*[0-9]*)?\*?\s*=\s*(\"[^\"]*|[^;]*)"


class ShortHeaders(Compat32):
    """The policy that changes nothing, except that it reads no more than the beginning."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        """Return name and value of a header, cut to `LONGEST_HEADER`."""
        room, kept = LONGEST_HEADER, list[str]()
        for line in sourcelines:
            content = line.rstrip("\r\n")
            kept.append(content[:room] + line[len(content) :])
            room -= min(room, len(content))
        name, _, value = "".join(kept).rstrip("\r\n").partition(":")
        return name, value.lstrip(" \t")


def known(charset: str) -> str:
    """Return the charset that programs read a mail in.

    Raises:
        LookupError: It is none.
        ValueError: It has characters that no name has.
    """
    name = codecs.lookup(charset).name
    if name in _NOT_OF_MAIL:
        raise LookupError(charset)
    return _AS_PROGRAMS_READ.get(name, name)


def parameter(part: email.message.Message, name: str, header: str) -> str | None:
    """Return one parameter of a header (`charset` of `content-type`); None if it has none.

    Sections that do not fit together are joined as they stand. A charset that is none changes
    nothing.
    """
    try:
        held = email.message.Message.get_param(part, name, None, header)
    except (ValueError, TypeError, LookupError):
        sections = re.findall(_SECTION.format(name=name), str(part.get(header)), re.IGNORECASE)
        return "".join(section.lstrip('"').strip() for section in sections) or None
    if not isinstance(held, tuple):
        return held
    charset, _, text = held
    try:
        return text.encode("raw-unicode-escape").decode(known(charset or "ascii"), "replace")
    except (ValueError, LookupError):
        return text
