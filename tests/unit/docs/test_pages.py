"""Whatever the pages name exists: files, links, modules, classes, `make` targets."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from shield.labels import MODEL_TYPES

ROOT = Path(__file__).parents[3]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/adr").glob("*.md")),
]
PACKAGES = (
    *("api", "bench", "cli", "clients", "components", "pipelines", "serving", "shield", "tests"),
)
SHIPPED = ("api", "cli", "clients", "components", "pipelines", "serving", "shield")
TREES = (*PACKAGES, "corpora", "docs", "helm", "images", "manifests", ".ci")

OF_OUR_CODE = ("architecture.md", "CONTRIBUTING.md")
"""Pages whose class names are ours; others name what Kubernetes and libraries define, too."""
EXAMPLES = {"components/length_probe/"}
"""What the reader makes by following the page."""

_CODE = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"^```.*?^```", re.M | re.S)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_MODULE = re.compile(
    rf"(?:{'|'.join(PACKAGES)})(?:\.[a-z0-9_]+)*\.(?:[a-z0-9_]+|[A-Z]\w+)(?<!\.org)"
)
_CLASS = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+")
_MAKE = re.compile(r"make ([a-z0-9-]+)")


def codes_of(page: Path) -> list[str]:
    """Return what a page sets in backticks, without its fenced blocks."""
    return _CODE.findall(_FENCE.sub("", page.read_text()))


@lru_cache(maxsize=1)
def names_in_code() -> frozenset[str]:
    """Return the identifiers and one-word strings of our code, and the words of manifests."""
    names: set[str] = set()
    for tree in (*SHIPPED, "helm", "manifests"):
        for path in (ROOT / tree).rglob("*.yaml"):
            names.update(re.findall(r"\w+", path.read_text()))
        for path in (ROOT / tree).rglob("*.py"):
            names.update(_names_in(ast.parse(path.read_text())))
    return frozenset(names)


def _names_in(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.Constant(value=str(text)) if text.isidentifier():
                yield text


def missing_from(page: Path) -> list[str]:
    """Return what a page names and the repository does not have."""
    text, codes = page.read_text(), codes_of(page)
    links = [link for link in _LINK.findall(text) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [code for code in codes if _is_path(code) and not _path_exists(page, code)]
    missing = [name for name in missing if name not in EXAMPLES]
    missing += [code for code in codes if _MODULE.fullmatch(code) and not _module_exists(code)]
    if page.name in OF_OUR_CODE or page.parent.name == "adr":
        classes = {code for code in codes if _CLASS.fullmatch(code)}
        missing += sorted(classes - names_in_code())
    targets = re.findall(r"^([a-z0-9-]+)(?: [a-z0-9-]+)*:", (ROOT / "Makefile").read_text(), re.M)
    phony = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.M)
    known = {*targets, *(name for line in phony for name in line.split())}
    named = [match[1] for code in codes if (match := _MAKE.match(code))]
    return missing + [f"make {name}" for name in named if name not in known]


def _is_path(code: str) -> bool:
    first = code.split("/")[0]
    return "/" in code and first in TREES and not re.search(r"[\s<>{}$|=]", code)


def _path_exists(page: Path, code: str) -> bool:
    path = code.split(":")[0].rstrip("/")
    return any(any(base.glob(path)) for base in (ROOT, page.parent))


def _module_exists(code: str) -> bool:
    """Tell whether a dotted name is a module, or a name that a module defines."""
    if code.endswith((".py", ".md", ".yaml", ".sh", ".ts")):
        return True  # a file named from inside its folder
    path = ROOT / code.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    owner, name = path.parent, path.name
    sources = [owner.with_suffix(".py"), owner / "__init__.py"]
    return any(
        re.search(rf"\b{name}\b", source.read_text()) for source in sources if source.exists()
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_everything_that_a_page_names_exists(page: Path) -> None:
    assert missing_from(page) == []


def test_a_name_that_nothing_bears_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "architecture.md"
    page.write_text(
        "`api/nowhere/x.py`, `shield.nowhere`, `shield.labels.Nobody`, [a page](nowhere.md), "
        "`make nothing`, `PipelineWalker`; but `api/kit/`, `shield.labels.ModelType`, `make lint`."
    )
    assert set(missing_from(page)) == {
        *("api/nowhere/x.py", "shield.nowhere", "shield.labels.Nobody", "nowhere.md"),
        *("make nothing", "PipelineWalker"),
    }


def test_the_phone_s_page_names_every_scan_type_with_its_labels() -> None:
    page = (ROOT / "docs/phone.md").read_text()
    for record in MODEL_TYPES.values():
        harmless, scam = record.labels
        assert re.search(
            rf"^\| `{record.scan_type}` \|[^|]*\| `{harmless}` \| `{scam}` \|$", page, re.M
        )
