"""Digest the source code that steps run: their own modules, and all of ours that these import.

Read from the source, so that nothing is imported: a digest takes milliseconds.
"""

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_OURS = ("components", "shield")


def code_digest(roots: Iterable[str], tree: Path = _ROOT) -> str:
    """Return the SHA-256 of the files behind `roots`, as hex.

    Args:
        roots: Names of modules, e.g. `components.train.component`.
        tree: Directory that holds our packages.
    """
    code = hashlib.sha256()
    for file in source_files(roots, tree):
        code.update(str(file.relative_to(tree)).encode())
        code.update(file.read_bytes())
    return code.hexdigest()


def source_files(roots: Iterable[str], tree: Path = _ROOT) -> list[Path]:
    """Return the files of `roots` and of every module of ours that they import, sorted.

    Imports inside functions count: a step imports torch, and what uses it, as late as it can.

    Raises:
        FileNotFoundError: A root is no module of ours.
    """
    files: set[Path] = set()
    waiting = list(roots)
    for name in waiting:
        if _file_of(name, tree) is None:
            raise FileNotFoundError(f"There is no module {name} below {tree}.")
    while waiting:
        file = _file_of(waiting.pop(), tree)
        if file is not None and file not in files:
            files.add(file)
            waiting += _imports(ast.parse(file.read_bytes()))
    return sorted(files)


def _imports(module: ast.Module) -> Iterable[str]:
    """Yield what may be a module of ours: of `from a.b import c` that is `a`, `a.b` and `a.b.c`."""
    for node in ast.walk(module):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.partition(".")[0] in _OURS:
                parts = name.split(".")
                yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _file_of(name: str, tree: Path) -> Path | None:
    place = tree.joinpath(*name.split("."))
    for file in (place / "__init__.py", place.with_suffix(".py")):
        if file.is_file():
            return file
    return None
