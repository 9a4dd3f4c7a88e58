"""The same application behind another ASGI server: uvicorn, which serves it, beside Granian.

Each serves `api.__main__:application` by one process on PostgreSQL, with reports, and with scans
whose verdicts the model server recalls, so that the API is what is measured. In turns.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from bench.ending import stop
from bench.feedback.__main__ import post_feedback, running_environment
from bench.feedback.load import send
from bench.feedback.processor import cpu_seconds
from bench.scans.path import CLIENTS, deploy, scan_requests
from bench.serving.environments import packages
from bench.serving.processes import free_port
from tests.support.api import MovableClock, RunningApi, running_services
from tests.support.model_server import running_model_server
from tests.support.packages import signed_package
from tests.support.postgres import new_migrated_database

GRANIAN = "granian==2.8.9"
_APPLICATION = "api.__main__:application"
_TEXTS = 40
"""Distinct messages, few enough to be recalled."""


def measure(seconds: int, turns: int) -> dict[str, Any]:
    """Return rates and milliseconds of processor of each server, medians over the turns."""
    found: dict[str, list[dict[str, float]]] = {"uvicorn": [], "granian": []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = stack.enter_context(running_model_server(signed_package()))
        url = new_migrated_database()
        reported = 0
        for _ in range(turns):
            for name, slices in found.items():
                with _served(name, folder, url) as (api, pid):
                    deploy(api.services.rollouts, model.url)
                    _until_it_judges(api)
                    one = {}
                    for length in (2, seconds):  # the first prepares statements
                        one = _slice(api, pid, length, reported)
                        reported += 1_000_000
                    slices.append(one)
                    sys.stderr.write(f"{name}: {one}\n")
    return {
        name: {key: round(statistics.median(each[key] for each in slices), 3) for key in slices[0]}
        for name, slices in found.items()
    }


def _slice(api: RunningApi, pid: int, seconds: int, first: int) -> dict[str, float]:
    tokens = [api.token(f"phone-{number}") for number in range(CLIENTS)]
    texts = [f"Message {number}: shall we meet at eight?" for number in range(_TEXTS)]
    before = cpu_seconds(pid)
    scans = send(api.url, scan_requests(tokens, texts, seconds), seconds)
    between = cpu_seconds(pid)
    reports = post_feedback(api, seconds, first)
    after = cpu_seconds(pid)
    return {
        "scans_per_second": len(scans.took) / scans.seconds,
        "scan_cpu_ms": 1000 * (between - before) / len(scans.took),
        "reports_per_second": len(reports.took) / reports.seconds,
        "report_cpu_ms": 1000 * (after - between) / len(reports.took),
    }


@contextmanager
def _served(name: str, folder: Path, url: str) -> Iterator[tuple[RunningApi, int]]:
    port = free_port()
    with running_services(folder, url) as services:
        environment = running_environment(services, folder)
        command: Sequence[str]
        if name == "granian":
            environment["PYTHONPATH"] = os.pathsep.join([str(packages(GRANIAN)), str(Path.cwd())])
            command = (
                *("-m", "granian", "--interface", "asgi", "--factory", "--loop", "uvloop"),
                *("--port", str(port), "--log-level", "warning", _APPLICATION),
            )
        else:
            command = ("-m", "api")
            environment["SHIELD_API_PORT"] = str(port)
        process = subprocess.Popen([sys.executable, *command], env=environment)
        try:
            address = f"http://127.0.0.1:{port}"
            _until_it_answers(address, process)
            yield (
                RunningApi(address, folder / "artifacts", services, MovableClock()),
                process.pid,
            )
        finally:
            stop(process)


def _until_it_answers(address: str, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with suppress(httpx.TransportError):
            httpx.get(f"{address}/healthz", trust_env=False)
            return
        time.sleep(0.05)
    raise SystemExit("the server did not start; see above")


def _until_it_judges(api: RunningApi) -> None:
    headers = {"Authorization": f"Bearer {api.token('phone-0')}"}
    with httpx.Client(base_url=api.url, headers=headers, trust_env=False) as client:
        while not any(one["serves"] for one in client.get("/api/v2/scans/types").json()["data"]):
            time.sleep(0.1)
