"""Every command that a page names: run by a test, or listed in `run_by.py` with the reason why not.

Looked at are all pages that people write: blocks of shell, indented lines, code in running text,
and what stands in `$(...)` within. Commands of `shieldctl` are held against the commands
themselves, with their options and the number of their arguments.
"""

import ast
import importlib.util
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli.app import build, hoisted
from tests.unit.docs.run_by import NOT_RUN, ON_A_CLUSTER, ON_A_LAPTOP, SHIELDCTL

ROOT = Path(__file__).parents[3]
GENERATED = {"CHANGELOG.md", "docs/shieldctl.md", "docs/reference.md", "docs/settings.md"}
FORMS = [*ON_A_CLUSTER, *ON_A_LAPTOP]

_FENCE = re.compile(r"^[ ]*```(\w*)[^\n]*\n(.*?)^[ ]*```", re.M | re.S)
_CODE = re.compile(r"`([^`\n]+)`")
_SHELL = ("sh", "bash", "shell", "console")
_VARIABLES = re.compile(r"^(?:[A-Z][A-Z_]*=(?:\"[^\"]*\"|'[^']*'|\S*) )+")
_PROGRAM = re.compile(
    r"(?:make|python3?|pytest|torchrun|mlflow|kubectl|helm|curl|pg_dump|pg_restore|psql|npm|npx|docker|podman|"
    r"buildah|git|uv|pip|go|gradle|openssl|aws|(?:\.venv/bin|\.)/\S+)(?= |$)"
)


@lru_cache(maxsize=1)
def pages() -> dict[str, str]:
    """Return name and text of all pages that people write."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.split() if name not in GENERATED]
    return {name: (ROOT / name).read_text() for name in names if (ROOT / name).exists()}


def written_in(text: str) -> Iterator[tuple[str, bool]]:
    """Yield (line, whether it is whole) of a page: of blocks, indented lines, and code in text."""
    blocks = [body for kind, body in _FENCE.findall(text) if kind in _SHELL]
    rest = _FENCE.sub("", text)
    blocks += re.findall(r"(?:^ {4,}\S.*\n?)+", rest, re.M)
    for body in blocks:
        for line in body.replace("\\\n", " ").splitlines():
            yield line, True
    for code in _CODE.findall(rest):
        yield code, False


def commands_in(text: str) -> Iterator[tuple[str, bool]]:
    """Yield (command, whether it is whole), without comments, variables and what it is piped to."""
    for written, whole in written_in(text):
        line = re.split(r"(?:^|\s+)#|\s+&$", written.strip().removeprefix("$ "))[0].strip()
        for inner in re.findall(r"\$\(([^()]+)\)", line):
            yield inner.strip(), whole
        line = re.sub(r"\$\([^()]+\)", "X", line)
        if not re.fullmatch(r"[A-Z_]+=\S*", line):
            yield _VARIABLES.sub("", line).strip(), whole


@lru_cache(maxsize=1)
def commands() -> list[tuple[str, str, bool]]:
    """Return (page, command, whether it is whole) of all pages."""
    return [(page, *each) for page, text in pages().items() for each in commands_in(text)]


@lru_cache(maxsize=1)
def shieldctl() -> Any:
    """Return the command itself."""
    return get_command(build())


def shieldctl_lines() -> list[tuple[str, str, bool]]:
    """Return every command of `shieldctl`."""
    return sorted({each for each in commands() if re.match(r"shieldctl\b", each[1])})


def parsed(line: str) -> tuple[str, list[str], str]:
    """Return the command that a line of `shieldctl` names, its arguments, and what is wrong."""
    line = re.sub(r"\$\([^)]*\)|\$\w+", "X", re.split(r" [|>&] ?", line)[0])
    line = re.sub(r"[\[\]]| \.\.\.", "", line)  # what may be left out, or repeated
    command: Any = shieldctl()
    words = hoisted(shlex.split(line)[1:])
    path: list[str] = []
    given: list[str] = []
    while words:
        word = words.pop(0)
        if word.startswith("-") and word != "-":
            options = {
                name for each in command.params for name in (*each.opts, *each.secondary_opts)
            }
            if word.split("=")[0] not in {*options, "--help"}:
                return " ".join(path), given, f"{command.name} has no option {word}"
            one = next((each for each in command.params if word in each.opts), None)
            if one is not None and not getattr(one, "is_flag", False) and words:
                words.pop(0)
        elif (inner := getattr(command, "commands", None)) is not None:
            if word not in inner:
                return " ".join(path), given, f"there is no command {word}"
            command = inner[word]
            path.append(word)
        else:
            given.append(word)
    if not path or hasattr(command, "commands"):
        return "", given, ""
    return " ".join(path), given, _too_many_or_few(command, given)


def _too_many_or_few(command: Any, given: list[str]) -> str:
    takes = [each for each in command.params if each.param_type_name == "argument"]
    most = float("inf") if any(each.nargs != 1 for each in takes) else len(takes)
    if len(given) > most:
        return f"{command.name} takes {most} arguments, not {len(given)}"
    needed = sum(each.required for each in takes)
    if len(given) < needed:
        return f"{command.name} needs {needed} arguments, not {len(given)}"
    return ""


@pytest.mark.parametrize(("page", "line", "whole"), shieldctl_lines())
def test_every_command_of_shieldctl_exists_with_its_options(
    page: str, line: str, whole: bool
) -> None:
    wrong = parsed(line)[2]
    # In running text a command may be named without its arguments.
    assert not wrong or (" needs " in wrong and not whole), f"{page}: {line}: {wrong}"


@lru_cache(maxsize=1)
def said_by_tests() -> str:
    """Return all literal words of the tests, a line for each string or row of strings.

    Comments and docstrings run nothing.
    """
    lines = []
    for file in [*(ROOT / "tests").rglob("*.py"), *(ROOT / "components").rglob("test_*.py")]:
        if file.parent == Path(__file__).parent and file.name in (Path(__file__).name, "run_by.py"):
            continue
        tree = ast.parse(file.read_text())
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            row = getattr(node, "elts", None) or getattr(node, "args", None)
            if isinstance(row, list):
                words = [each.value if isinstance(each, ast.Constant) else "X" for each in row]
                lines.append(" ".join(str(word) for word in words))
            elif isinstance(node, ast.Constant) and id(node) not in told:
                lines.append(str(node.value))
    return "\n".join(lines)


def test_every_command_of_shieldctl_in_the_pages_is_run_by_a_test_or_listed() -> None:
    named = {parsed(line)[0] for _, line, _ in shieldctl_lines()} - {""}
    assert len(named) > 30
    assert SHIELDCTL.keys() <= named, "no page names it"
    said = said_by_tests()
    unknown = [
        command for command in named - SHIELDCTL.keys() if not re.search(rf"\b{command}\b", said)
    ]
    assert sorted(unknown) == []


def test_every_other_command_is_run_by_a_test_or_listed_with_the_reason() -> None:
    typed = {(page, line) for page, line, _ in commands() if _PROGRAM.match(line)}
    assert len(typed) > 100
    unknown = sorted(
        f"{page}: {line}"
        for page, line in typed
        if not any(re.fullmatch(form, line) for form, _, _ in FORMS)
    )
    assert unknown == [], "run it by a test, and name that in run_by.py"


def test_every_line_of_a_block_of_shell_begins_with_a_program_that_is_looked_at() -> None:
    lines = {
        (page, line)
        for page, text in pages().items()
        for kind, body in _FENCE.findall(text)
        if kind in _SHELL
        for line, _ in commands_in(f"```sh\n{body}```\n")
        if line
    }
    other = [each for each in lines if not re.match(r"shieldctl\b", each[1])]
    assert [f"{page}: {line}" for page, line in other if not _PROGRAM.match(line)] == []


@pytest.mark.parametrize(("form", "where", "what"), [one for one in FORMS if one[1] != NOT_RUN])
def test_the_test_that_is_named_runs_it(form: str, where: str, what: str) -> None:
    assert what in (ROOT / where).read_text()


@pytest.mark.parametrize("command", sorted(SHIELDCTL))
def test_the_test_of_a_listed_command_runs_it(command: str) -> None:
    where, what = SHIELDCTL[command]
    assert where == NOT_RUN or what in (ROOT / where).read_text()


@pytest.mark.parametrize("form", [form for form, _, _ in FORMS])
def test_a_form_that_no_page_needs_any_more_is_noticed(form: str) -> None:
    assert any(re.fullmatch(form, line) for _, line, _ in commands())


def test_what_is_wrong_with_a_command_is_noticed() -> None:
    assert parsed("shieldctl model show sms --json")[2] == ""
    assert parsed("shieldctl model shout sms")[2] == "there is no command shout"
    assert parsed("shieldctl model show sms --loud")[2] == "show has no option --loud"
    assert parsed("shieldctl token create otto")[2] == "create takes 0 arguments, not 1"
    assert parsed("shieldctl review approve")[2] == "approve needs 1 arguments, not 0"
    page = "```sh\nA=b shieldctl --token $(shieldctl token shout) scan 'x'   # one\nrm -r /\n```\n"
    found = [line for line, _ in commands_in(page)]
    assert found == [
        "shieldctl token shout",
        "shieldctl --token X scan 'x'",
        "rm -r /",
    ]
    assert not any(re.fullmatch(form, "kubectl -n $NS drain node") for form, _, _ in FORMS)


def test_every_module_that_is_run_exists() -> None:
    modules = {
        name for _, line, _ in commands() for name in re.findall(r"python -m ([a-z_.]+)", line)
    }
    assert {"api.token", "api.reseal", "shield.book"} <= modules
    missing = [name for name in modules if importlib.util.find_spec(name.rstrip(".")) is None]
    assert missing == []
