"""Read the book's files; every fault names its file, its place and the cure."""

import hashlib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from shield.book.model import (
    Book,
    Channel,
    ChannelFile,
    Language,
    Name,
    Side,
    SlotFile,
    Tactic,
    TacticTexts,
)
from shield.errors import Invalid, NotFound

Kind = TypeVar("Kind")


class _UniqueKeys(yaml.CSafeLoader):
    """YAML whose mappings name nothing twice: the first of two would vanish without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in keys:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} occurs twice", key_node.start_mark
                )
            keys.add(key)
        return super().construct_mapping(node, deep)


def book_directory() -> Path:
    """Return where the book of this installation lies."""
    return Path(__file__).parents[2] / "corpora" / "book"


def book_digest(directory: Path | None = None) -> str:
    """Return the SHA-256 of the book's files, as hex: what is trained on it follows from it."""
    root, digest = directory or book_directory(), hashlib.sha256()
    for path in sorted(root.rglob("*.yaml")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def languages_at(directory: Path | None = None) -> list[str]:
    """Return the codes of the languages that the book is written in."""
    root = directory or book_directory()
    return sorted(path.parent.name for path in root.glob("*/slots.yaml"))


def read_tactics(directory: Path | None = None) -> dict[str, Tactic]:
    """Return the tactics by id, in the book's order.

    Raises:
        Invalid: The file has a fault.
    """
    path = (directory or book_directory()) / "tactics.yaml"
    tactics = _read(path, TypeAdapter(list[Tactic]))
    named = {tactic.id: tactic for tactic in tactics}
    if len(named) < len(tactics):
        twice = sorted({each.id for each in tactics if sum(t.id == each.id for t in tactics) > 1})
        raise Invalid(f"{path}: {', '.join(twice)} occurs twice. Give each tactic its own id.")
    return named


def read_book(directory: Path | None = None, languages: list[str] | None = None) -> Book:
    """Read the book, all of its languages unless some are named.

    Raises:
        NotFound: The book is not written in a language that was asked for.
        Invalid: A file has a fault.
    """
    root = directory or book_directory()
    tactics = read_tactics(root)
    present = languages_at(root)
    for code in languages or []:
        if code not in present:
            raise NotFound(
                f"The book is not written in {code!r}; it is in {', '.join(present) or 'none'}."
            )
    return Book(tactics, {code: _language(root / code) for code in languages or present})


def _language(folder: Path) -> Language:
    files = {}
    for side in Side:
        for channel in Channel:
            path = folder / side / f"{channel}.yaml"
            if path.is_file():
                files[side, channel] = _read(path, ChannelFile)
    texts: dict[str, TacticTexts] = {}
    if (folder / "texts.yaml").is_file():
        texts = _read(folder / "texts.yaml", TypeAdapter(dict[Name, TacticTexts]))
    return Language(folder.name, _read(folder / "slots.yaml", SlotFile), files, texts)


def _read(path: Path, kind: TypeAdapter[Kind] | type[Kind]) -> Kind:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except OSError as error:
        raise Invalid(
            f"{path} cannot be read ({error.strerror}). Install the book again."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        what = " ".join(str(error).split())
        raise Invalid(
            f"{path} is no YAML in UTF-8: {what}. Quote texts that hold : or {{."
        ) from error
    try:
        if isinstance(kind, TypeAdapter):
            return kind.validate_python(document)
        assert issubclass(kind, BaseModel)
        return kind.model_validate(document)
    except ValidationError as error:
        raise Invalid(f"{path} has faults:\n{_faults(error)}") from error


def _faults(error: ValidationError, most: int = 20) -> str:
    lines = [
        f"  {' > '.join(str(step) for step in fault['loc']) or 'the whole file'}: {fault['msg']}"
        for fault in error.errors(include_url=False)
    ]
    more = [f"  and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join(lines[:most] + more)
