"""What the user sees: answers on stdout, progress on stderr, JSON for machines.

Colours and live lines appear only on a terminal; a pipe or a log file gets plain lines.
"""

import contextlib
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text
from rich.theme import Theme

from cli.layout import Facts, Rows
from shield.errors import ShieldError, to_problem

_THEME = Theme(
    {
        "good": "green",
        "bad": "red",
        "quiet": "dim",
        "name": "bold cyan",
        "figure": "bold",
        "rule.line": "dim",
    }
)


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SHORT_DIGEST = len("sha256:") + 12
_STYLED = re.compile(
    r"\[(?P<style>good|bad|quiet|name|figure)\]"
    r"(?P<said>(?:(?!\[(?:good|bad|quiet|name|figure)\]).)*?)\[/\]",
    re.DOTALL,
)


class Terminal:
    """The two streams of a command, and whether it talks to a person or a machine."""

    def __init__(self, *, machine: bool = False, quiet: bool = False) -> None:
        self.machine = machine
        self.quiet = quiet
        self.album: Console | None = None
        """Where everything shown is drawn a second time, for a picture of the terminal."""
        self.out = Console(theme=_THEME, highlight=False, soft_wrap=machine)
        self.err = Console(theme=_THEME, highlight=False, stderr=True)
        if not self.out.is_terminal:
            self.out.width = 120
        if not self.err.is_terminal:
            self.err.width = 120

    @property
    def live(self) -> bool:
        """Whether progress may be shown in a line that changes."""
        return self.err.is_terminal and not (self.quiet or self.machine)

    def say(self, sentence: str) -> None:
        """Tell of progress; silent with `--quiet`."""
        told = marked(sentence)
        if not self.quiet:
            self.err.print(told, soft_wrap=True)
        if self.album:
            self.album.print(told)

    def start_album(self) -> None:
        """Begin to draw what is shown."""
        self.album = Console(
            theme=_THEME, highlight=False, record=True, width=100, file=io.StringIO()
        )

    def picture(self, title: str) -> str:
        """Return what was drawn since `start_album` as SVG."""
        assert self.album is not None
        picture = self.album.export_svg(title=title)
        # The reader's own monospace font will do: a picture asks no third party for one.
        return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)

    @contextlib.contextmanager
    def busy(self, label: str) -> Iterator[Callable[[str], None]]:
        """Show progress, with a live line on a terminal and nothing elsewhere.

        Yields a function that changes the label.
        """
        if not self.live:
            yield lambda text: None
            return
        with self.err.status(Text(label, style="quiet"), spinner="dots", speed=0.7) as status:
            yield lambda text: status.update(Text(text, style="quiet"))

    def warn(self, sentence: str) -> None:
        """Tell of something that went wrong and does not end the command."""
        self.err.print(Text.assemble(("! ", "bad"), sentence), soft_wrap=True)

    def answer(self, result: Any, *shown: Any) -> None:
        """Print the answer: `result` as JSON for machines, else `shown` (Rich renderables)."""
        if self.machine:
            sys.stdout.write(json.dumps(plain(result), indent=2, ensure_ascii=False) + "\n")
            return
        for each in shown or (as_table(result),):
            item = marked(each) if isinstance(each, str) else each
            # A token or a path that is broken at 80 columns is no token and no path; a table may be
            # wider than the terminal, which then wraps what can still be copied whole.
            self.out.print(item, soft_wrap=isinstance(item, Text), crop=False)
            if self.album:
                self.album.print(item)

    def fail(self, error: ShieldError) -> None:
        """Print an error as one sentence, or as its problem document for machines."""
        if self.machine:
            sys.stderr.write(json.dumps(to_problem(error), ensure_ascii=False) + "\n")
        else:
            self.err.print(
                Text.assemble(("shieldctl: ", "bold red"), error.message), soft_wrap=True
            )


def marked(sentence: str) -> Text:
    """Return a sentence in the styles that it names: `[good]right[/]`.

    `[good]`, `[bad]`, `[quiet]`, `[name]` and `[figure]` name one, where a `[/]` ends it, and none
    is inside another. All other brackets are text. Rich's own markup is not used: in what users
    have written, `[/INST]` would end the command, and `[urgent]` would vanish.
    """
    text, end = Text(), 0
    for styled in _STYLED.finditer(sentence):
        text.append(sentence[end : styled.start()])
        text.append(styled["said"], styled["style"])
        end = styled.end()
    return text.append(sentence[end:])


def plain(value: Any) -> Any:
    """Return `value` as what `json.dumps` can write; wire types in camelCase, times in ISO 8601."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def rows_table(rows: Sequence[Any], columns: Sequence[str], *, empty: str) -> Rows | Text:
    """Return a table of `columns` (keys of the JSON form of each row), or the sentence `empty`."""
    if not rows:
        return Text(empty, style="quiet")
    lines = [[cell(_brief(_pick(plain(row), column))) for column in columns] for row in rows]
    return Rows([_heading(column) for column in columns], lines)


def as_table(result: Any) -> Facts:
    """Return any object as the list of its members."""
    members = plain(result)
    facts = members if isinstance(members, dict) else {"": members}
    return Facts([_heading(str(name)) for name in facts], [cell(each) for each in facts.values()])


def cell(value: Any) -> Text:
    """Return one value as people read it. Never as markup: messages hold brackets of their own."""
    match value:
        case None:
            return Text("–", style="quiet")
        case bool():
            return Text("yes" if value else "no")
        case float():
            return Text(f"{value:.4g}")
        case dict() if {"name", "digest"} <= value.keys():
            return Text(str(value["name"]), style="name")
        case dict():
            return Text(", ".join(f"{key} {cell(item)}" for key, item in value.items()))
        case list():
            return Text(", ".join(str(cell(item)) for item in value) or "–")
        case str() if len(value) > 19 and value[10] == "T" and value[4] == "-":
            return Text(value[:19].replace("T", " "))
        case _:
            return Text(str(value))


def _brief(value: Any) -> Any:
    """Return a digest as it is shown in a row: its beginning, which every command takes."""
    digest = isinstance(value, str) and _DIGEST.fullmatch(value)
    return value[:_SHORT_DIGEST] if digest else value


def _pick(row: Any, path: str) -> Any:
    """Return a member by its path. Raises `KeyError` for one that no such row has."""
    for name in path.split("."):
        if row is None:
            return None
        row = row[name]
    return row


def _heading(name: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.replace(".", " ").replace("_", " ").strip()
