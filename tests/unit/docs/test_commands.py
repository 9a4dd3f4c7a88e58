"""Every command that README and docs name: run by a test, or listed here with the reason why not.

Commands of `shieldctl` are held against the commands themselves, with their options; `make` targets
and files are looked at by `test_pages.py`. What somebody types on a cluster must stand in `RUN`.
"""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from cli.app import build, hoisted

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = {"shieldctl.md", "reference.md", "settings.md"}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
_CODE = re.compile(r"`([^`\n]+)`")
_TYPED = re.compile(r"(?:\w+=\S* )?(kubectl|helm|curl|pg_dump)\b")

NOT_RUN = "not run"
RUN: list[tuple[str, str, str]] = [
    (r"kubectl (create|label) namespace", "tests/e2e/release.py", "namespace"),
    (r"kubectl .*create secret generic antispam-shield-keys", NOT_RUN, "rotates a real key"),
    (r"kubectl .*create secret generic", NOT_RUN, "takes passwords of a real database and bucket"),
    (r"kubectl .*get secret", "tests/e2e/story.py", '"secret"'),
    (r"helm install", "tests/e2e/release.py", ".helm("),
    (r"helm upgrade", "tests/cluster/test_chart.py", "upgrade"),
    (r"helm test", "tests/e2e/release.py", 'helm("test"'),
    (r"helm uninstall", "tests/e2e/release.py", 'helm("uninstall"'),
    (r"helm rollback", NOT_RUN, "Helm's own; the chart keeps the schema"),
    (
        r"kubectl .*exec deploy/antispam-shield-api -- python -m api.token",
        "tests/e2e/story.py",
        "api.token",
    ),
    (r"kubectl .*exec deploy/antispam-shield-api", NOT_RUN, "rotates a real key"),
    (r"kubectl .*port-forward", "tests/e2e/cluster.py", '"port-forward"'),
    (r"kubectl .*create job --from=cronjob", "tests/e2e/story.py", "--from=cronjob"),
    (
        r"kubectl .*(get|describe|logs|patch|delete|replace|auth|apply|rollout)",
        NOT_RUN,
        "kubectl's own verbs, to look and to steer",
    ),
    (r"kubectl .*create token", NOT_RUN, "needs a Kubeflow"),
    (r"kubectl", NOT_RUN, "the program's name"),
    (r"curl", NOT_RUN, "needs a Kubeflow, or is /readyz alone"),
    (r"pg_dump", NOT_RUN, "PostgreSQL's own"),
    (r"helm", NOT_RUN, "the program's name, or a folder of ours"),
]
"""What is typed -> the test that runs it and what shows that there, or why no test does."""


def commands() -> Iterator[tuple[str, str]]:
    """Yield (page, command) of all blocks of shell, indented lines and code in running text."""
    for page in PAGES:
        if page.name in GENERATED:
            continue
        text = page.read_text()
        found = [
            line
            for kind, body in _FENCE.findall(text)
            if kind in ("sh", "console")
            for line in body.splitlines()
        ]
        rest = _FENCE.sub("", text)
        found += [line for line in rest.splitlines() if line.startswith("    ")]
        found += _CODE.findall(rest)
        for line in found:
            yield page.name, line.split("  #")[0].strip()


def shieldctl_lines() -> list[tuple[str, str]]:
    """Return (page, line) of every command of `shieldctl`."""
    return sorted(
        {
            (page, match[1])
            for page, line in commands()
            if (match := re.match(r"(?:\w+=\S+ )*(shieldctl\b.*)", line))
        }
    )


def fault_of(line: str) -> str:
    """Return what a line of `shieldctl` names and there is not; empty for a good one."""
    line = re.sub(r"\$\([^)]*\)|\$\w+", "X", line)
    command = get_command(build())
    words = hoisted(shlex.split(line)[1:])
    while words:
        options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        word = words.pop(0)
        if word.startswith("-") and word != "-":
            if word.split("=")[0] not in {*options, "--help"}:
                return f"{command.name} has no option {word}"
            one = next((each for each in command.params if word in each.opts), None)
            if one is not None and not getattr(one, "is_flag", False) and words:
                words.pop(0)
        elif (inner := getattr(command, "commands", None)) is not None:
            if word not in inner:
                return f"there is no command {word}"
            command = inner[word]
    return ""


@pytest.mark.parametrize(("page", "line"), shieldctl_lines())
def test_every_command_of_shieldctl_exists_with_its_options(page: str, line: str) -> None:
    assert fault_of(line) == "", f"{page}: {line}"


SHIELDCTL_RUN: dict[str, tuple[str, str]] = {
    "corpus fetch": (NOT_RUN, "fetches 20 MB; what it reads is tested where they are there"),
    "pipeline deploy": ("tests/integration/pipelines/test_deploy.py", 'shieldctl(capsys, "deploy"'),
    "pipeline deployed": (
        "tests/integration/pipelines/test_deploy.py",
        'shieldctl(capsys, "deployed"',
    ),
    "pipeline undeploy": (
        "tests/integration/pipelines/test_deploy.py",
        'shieldctl(capsys, "undeploy"',
    ),
    "pipeline drift": (NOT_RUN, "needs a trained champion; test_drift_run.py runs what it starts"),
}
"""Commands that no test names word by word -> the test that runs them, or why none does."""


def named_in_pages() -> set[str]:
    """Return the commands of `shieldctl` in the pages, without their arguments."""
    found = set()
    for _, line in shieldctl_lines():
        command, path = get_command(build()), []
        for word in hoisted(shlex.split(re.sub(r"\$\([^)]*\)|\$\w+", "X", line))[1:]):
            inner = getattr(command, "commands", {})
            if word in inner:
                command = inner[word]
                path.append(word)
        if path and not hasattr(command, "commands"):
            found.add(" ".join(path))
    return found


def test_every_command_of_shieldctl_in_the_pages_is_run_by_a_test_or_listed() -> None:
    files = [file for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)]
    said = "\n".join(file.read_text() for file in files)
    named = named_in_pages()
    assert len(named) > 30
    unknown = []
    for command in sorted(named - SHIELDCTL_RUN.keys()):
        words = [re.escape(word) for word in command.split()]
        quoted, typed = r"""["'],\s*["']""".join(words), r"\s+".join(words)
        if not re.search(rf"""["']{quoted}["']|\b{typed}\b""", said):
            unknown.append(command)
    assert unknown == []


@pytest.mark.parametrize("command", sorted(SHIELDCTL_RUN))
def test_a_listed_command_is_in_the_pages_and_in_its_test(command: str) -> None:
    where, what = SHIELDCTL_RUN[command]
    assert command in named_in_pages()
    assert where == NOT_RUN or what in (ROOT / where).read_text()


def test_a_command_or_option_that_is_not_there_is_noticed() -> None:
    assert fault_of("shieldctl model show sms --json") == ""
    assert fault_of("shieldctl model shout sms") == "there is no command shout"
    assert fault_of("shieldctl model show sms --loud") == "show has no option --loud"


def test_every_command_on_a_cluster_is_run_by_a_test_or_listed_with_the_reason() -> None:
    typed = {line for _, line in commands() if _TYPED.match(line)}
    assert len(typed) > 40
    unknown = [line for line in typed if not any(re.search(form, line) for form, _, _ in RUN)]
    assert unknown == []


@pytest.mark.parametrize(("form", "where", "what"), [one for one in RUN if one[1] != NOT_RUN])
def test_the_test_that_is_named_runs_it(form: str, where: str, what: str) -> None:
    assert what in (ROOT / where).read_text()


def test_every_module_that_is_run_exists() -> None:
    modules = {name for _, line in commands() for name in re.findall(r"python -m ([a-z_.]+)", line)}
    assert {"api.token", "api.reseal", "shield.book"} <= modules
    missing = [name for name in modules if importlib.util.find_spec(name.rstrip(".")) is None]
    assert missing == []
