"""How rows and facts fill a terminal: what people copy is never broken over lines.

An id, a digest, an address or a name that is broken is none. So no word is broken that has at most
`LONGEST_WORD` characters. Rows that do not fit as a table are told one after the other; a single
fact that is wider than the terminal runs on, and the terminal wraps what can still be copied whole.
"""

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

LONGEST_WORD = 200
"""Characters; nothing of ours that is copied has more, messages may hold such words."""
_GAP = 2
_READABLE = 24
"""Characters of a line: shorter texts are not wrapped, narrower columns cannot be read."""
_NOTHING = ("", "–")


class Rows:
    """A table with headings, or one record after the other where it does not fit."""

    def __init__(self, headings: Sequence[str], lines: Sequence[Sequence[Text]]) -> None:
        self.headings = list(headings)
        self.lines = [list(line) for line in lines]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Choose by the width that there is."""
        least, most = [], []
        for name, cells in zip(self.headings, zip(*self.lines, strict=True), strict=True):
            widest = max(line.cell_len for text in cells for line in text.split("\n"))
            words = max(_longest(text) for text in (Text(name), *cells))
            least.append(max(words, min(widest, _READABLE)))
            most.append(max(widest, len(name)))
        room = options.max_width - _GAP * (len(least) - 1) - sum(least)
        if room < 0:
            for line in self.lines:
                yield from self._record(line, options.max_width)
            return
        table = Table(box=None, pad_edge=False, header_style="quiet")
        for name, width in zip(self.headings, _shared(least, most, room), strict=True):
            table.add_column(name, width=width, overflow="fold")
        for line in self.lines:
            table.add_row(*line)
        yield table

    def _record(self, cells: Sequence[Text], width: int) -> RenderResult:
        """Tell one row as `name: value`, several of them on a line where they fit."""
        line = Text()
        for name, value in zip(self.headings, cells, strict=True):
            if value.plain in _NOTHING:
                continue
            pair = Text.assemble((f"{name}: ", "quiet"), value)
            if not line:
                line = pair
            elif line.cell_len + _GAP + pair.cell_len <= width and "\n" not in pair.plain:
                line = Text("  ").join([line, pair])
            else:
                yield from _wrapped(line, width, " " * 2 * _GAP)
                line = Text.assemble(" " * _GAP, pair)
        yield from _wrapped(line, width, " " * 2 * _GAP)


class Facts:
    """Names with their values, one below the other."""

    def __init__(self, names: Sequence[str | Text], values: Sequence[Text]) -> None:
        self.names = [Text(name, "quiet") if isinstance(name, str) else name for name in names]
        self.values = list(values)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Wrap prose between words, and let a longer word run on."""
        indent = max(map(len, self.names), default=0) + _GAP
        for name, value in zip(self.names, self.values, strict=True):
            line = Text.assemble(name, " " * (indent - len(name)), value)
            yield from _wrapped(line, options.max_width, " " * indent)


def _wrapped(text: Text, width: int, indent: str) -> Iterator[Text]:
    """Break a text between words, and inside of none that may be copied."""
    first = True
    for part in text.split("\n", allow_blank=True):
        start, end = 0, 0
        for word, after in _words(part.plain, max(width - len(indent), 1)):
            before = 0 if first else len(indent)
            wide = before + cell_len(part.plain[start:after]) > width
            if wide and word > start and (not first or word > len(indent)):
                yield _line(part[start:end], "" if first else indent)
                start, first = word, False
            end = after
        yield _line(part[start:end], "" if first else indent)
        first = False


def _line(text: Text, indent: str) -> Text:
    return Text.assemble(indent, text, no_wrap=True, overflow="ignore")


def _words(plain: str, width: int) -> Iterator[tuple[int, int]]:
    """Return where words begin and end; what need not stay whole is cut to `width` cells."""
    for found in re.finditer(r"\S+", plain):
        whole = found[0].isascii() and len(found[0]) <= LONGEST_WORD
        place = found.start()
        for piece in [found[0]] if whole else chop_cells(found[0], width):
            yield place, place + len(piece)
            place += len(piece)


def _shared(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """Return the width of each column: the least, and what it wants of the room that is left."""
    widths = list(least)
    while room > 0 and (wanting := [i for i, width in enumerate(widths) if width < most[i]]):
        each = max(room // len(wanting), 1)
        for i in wanting[:room]:
            more = min(each, most[i] - widths[i])
            widths[i] += more
            room -= more
    return widths


def _longest(text: Text) -> int:
    """Return the width of the longest word that may not be broken, in cells."""
    words = [word for word in text.plain.split() if word.isascii()]
    return max((min(len(word), LONGEST_WORD) for word in words), default=0)
