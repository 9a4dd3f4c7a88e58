"""/openapi.json is complete and true: schemathesis against the running server."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXCLUDED = "object_level_authorization"  # wants two users' tokens; test_roles and test_traps do it


def attack(
    api: RunningApi, folder: Path, *, examples: int, phases: str, seed: int = 1
) -> tuple[int, str]:
    """Run schemathesis with all checks; return how many cases it generated, and its report."""
    token = api.token("tester", "user", "reviewer", "admin", "pipeline", "operator")
    command = [
        str(Path(sys.executable).with_name("st")),
        f"--config-file={CONFIG}",
        "run",
        f"{api.url}/openapi.json",
        f"--header=Authorization: Bearer {token}",
        "--checks=all",
        f"--exclude-checks={EXCLUDED}",
        f"--max-examples={examples}",
        f"--phases={phases}",
        f"--seed={seed}",
        "--continue-on-failure",
        "--no-color",
        "--warnings=off",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = done.stdout + done.stderr
    assert done.returncode == 0, report[-8000:]
    generated = re.search(r"([\d,]+) generated", report)
    assert generated is not None, report[-2000:]
    return int(generated[1].replace(",", "")), report


def test_no_request_meets_a_server_error_or_an_undocumented_answer(
    api: RunningApi, tmp_path: Path
) -> None:
    cases, _ = attack(api, tmp_path, examples=4, phases="fuzzing,stateful")
    assert cases > 200


def test_the_corners_of_every_parameter_are_as_documented(
    sqlite_api: RunningApi, tmp_path: Path
) -> None:
    cases, _ = attack(sqlite_api, tmp_path, examples=1, phases="coverage")
    assert cases > 1500


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_twenty_thousand_cases_find_no_fault(api: RunningApi, tmp_path: Path) -> None:
    cases, report = attack(
        api, tmp_path, examples=400, phases="examples,coverage,fuzzing,stateful", seed=7
    )
    print(json.dumps({"cases": cases}), report[-600:])
    assert cases >= 20_000


def test_every_route_documents_its_problems_and_says_what_it_does(sqlite_api: RunningApi) -> None:
    import httpx

    document = httpx.get(
        f"{sqlite_api.url}/openapi.json", trust_env=False, timeout=PATIENCE_SECONDS
    ).json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            if path.startswith("/api/"):
                assert {"401", "403", "422", "429", "503"} <= set(operation["responses"]), path
                # A sender contests without an account; all else needs a token.
                free = method == "post" and path.startswith("/api/v2/contests")
                free = free or path == "/api/v2/feed"  # and a feed is for everybody
                assert free != bool(operation.get("security")), (method, path)
