"""Write docs/reference.md, the library's public face, from the code: `python -m docs.reference`."""

import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("reference.md")

PUBLIC = (
    "shield.packages",
    "shield.predictor",
    "shield.encoder",
    "shield.linear",
    "shield.text",
    "shield.metrics",
    "shield.comparison",
    "shield.gates",
    "shield.similarity",
    "shield.reasons",
    "shield.labels",
    "shield.artifacts",
    "shield.artifacts.opening",
    "shield.routing",
    "shield.sequential",
    "shield.paired",
    "shield.client",
)
"""What notebooks and programs of others may import; the rest of `shield` may change unannounced."""

HEAD = """\
<!-- Written by `python -m docs.reference` from the code; a test proves it current. -->

# The library `shield`

What notebooks and programs of others may import. Names that are not here may change unannounced.
Errors are in `shield.errors` (a tree, each with the cure in its message), what travels over HTTP in
`shield.wire`. By example: [notebooks](notebooks/README.md).
"""


def render() -> str:
    """Return the reference as Markdown."""
    parts = [HEAD]
    for name in PUBLIC:
        module = importlib.import_module(name)
        parts.append(f"## `{name}`\n\n{_first(module)}\n")
        parts += [_entry(each, member) for each, member in _public(module)]
    return "\n".join(parts).rstrip() + "\n"


def _public(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public classes and functions of a module, by name: `__all__`, or its own."""
    names = getattr(module, "__all__", None)
    for name in sorted(names or vars(module)):
        member = getattr(module, name)
        own = names is not None or getattr(member, "__module__", "") == module.__name__
        called = inspect.isclass(member) or inspect.isroutine(member)
        if own and called and not name.startswith("_"):
            yield name, member


def _entry(name: str, found: Any) -> str:
    if not inspect.isclass(found):
        return f"### `{name}{_signature(found)}`\n\n{_told(found)}\n"
    lines = [f"### class `{name}`", "", _told(found), ""]
    if issubclass(found, Enum):
        lines.append(f"One of: {', '.join(f'`{each.value}`' for each in found)}.\n")
        return "\n".join(lines)
    for method, own in sorted(_members(found).items()):
        if method.startswith("_") or not _is_method(own):
            continue
        plain = own.__func__ if isinstance(own, classmethod | staticmethod) else own
        called = method if isinstance(own, property) else f"{method}{_signature(plain)}"
        lines.append(f"- `{called}`: {_first(plain)}")
    return "\n".join(lines).rstrip() + "\n"


def _members(kind: type) -> dict[str, Any]:
    """Return the attributes of a class and of its bases in the same package."""
    members: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith(kind.__module__):
            members.update(vars(base))
    return members


def _is_method(found: Any) -> bool:
    if isinstance(found, property | classmethod | staticmethod):
        return True
    return inspect.isfunction(found) and bool(found.__doc__)


def _signature(found: Callable[..., Any]) -> str:
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return "(...)"
    kept = [each for name, each in signature.parameters.items() if name not in ("self", "cls")]
    text = str(signature.replace(parameters=kept))
    # Types as they are written in the code, without the names of our modules.
    text = re.sub(r"\b(?:\w+\.)+(?=[A-Za-z_])", "", text)
    return text.replace("'", "")


def _told(found: Any) -> str:
    """Return a docstring, its sections as lists."""
    text = inspect.getdoc(found) or ""
    return re.sub(
        r"^(Args|Returns|Raises|Yields|Source):\n((?:    .*\n?|\n)+)",
        lambda section: f"*{section[1]}*\n\n{_listed(section[2])}\n",
        text + "\n",
        flags=re.MULTILINE,
    ).strip()


def _listed(section: str) -> str:
    lines = textwrap.dedent(section).strip().splitlines()
    return "\n".join(line if line.startswith(" ") else f"- {line}" for line in lines if line)


def _first(found: Any) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(found) or "").split("\n\n")[0].split())


if __name__ == "__main__":
    TARGET.write_text(render())
