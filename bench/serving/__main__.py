"""`make bench-serving`: throughput, latency, processor time, memory and start, ours and the peers'.

Every slice of a server lies between two slices of the raw limit, so that a machine that changes its
pace (a laptop, a shared host) changes it for both; what is compared are ratios within one round.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import sms
from bench.ending import end_in_order
from bench.serving import closed_loop, scenarios
from bench.serving.processes import Server, running
from bench.serving.report import summarise, write_page
from tests.support.packages import signed_package

RESULTS = Path("bench/results/serving.json")
PEERS = ("kserve", "litserve", "bentoml", "ray", "mlserver", "plain")
CONCURRENCIES = (1, 8, 32)


class RawLimit:
    """The raw loop as a process that runs when told."""

    def __init__(self, package: Path, model: str, threads: int, texts: Path) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bench.serving.raw",
                str(package),
                model,
                str(threads),
                str(texts),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            # As the servers: Linux shares the processor between sessions.
            start_new_session=True,
        )

    def run(self, seconds: float) -> dict[str, float]:
        """Run once: messages, seconds, processor seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)


def corpus() -> list[str]:
    """Return the first messages of the SMS Spam Collection, in the order of its file."""
    return [text for text, _ in sms.labelled()[:4000]]


def measure_server(
    name: str, raw: RawLimit, place: tuple[Path, Path, int], texts: Sequence[str], seconds: int
) -> list[dict[str, Any]]:
    """Return one round's slices of one server, each beside the raw limit before and after it."""
    package, trusted, threads = place
    slices = []
    # Repeats are measured apart: here every message is computed.
    # No deadline either: how we refuse is measured apart, and the peers do not refuse.
    settings = {"cache_rows": "0", "deadline_seconds": "60"}
    with running(name, package, trusted, threads, **settings) as server:
        script = Path(tempfile.gettempdir()) / f"bench-{os.getpid()}-{name}.lua"
        closed_loop.write_script(script, server, texts)
        _warm(server, texts)
        before = raw.run(seconds)
        for concurrency in CONCURRENCIES:
            found = closed_loop.measure(server, script, concurrency, seconds)
            after = raw.run(seconds)
            pace = statistics.mean(run["messages"] / run["seconds"] for run in (before, after))
            cpu = statistics.mean(
                1000 * run["cpu_seconds"] / run["messages"] for run in (before, after)
            )
            slices.append(
                found.to_json()
                | {"raw": pace, "raw_cpu_ms": cpu, "start_seconds": server.start_seconds}
            )
            before = after
        script.unlink()
    return slices


def _warm(server: Server, texts: Sequence[str]) -> None:
    import urllib.request

    for text in texts[:30]:
        request = urllib.request.Request(
            server.url, server.body(text), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()


def main() -> None:
    """Measure, write `bench/results/serving.json` and `docs/benchmarks-serving.md`."""
    parser = argparse.ArgumentParser(prog="make bench-serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="each server once per round")
    parser.add_argument("--seconds", type=int, default=3, help="length of a slice")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--switches", type=int, default=500)
    parser.add_argument("--add", action="store_true", help="to the slices measured before")
    parser.add_argument("--skip-scenarios", action="store_true", help="only the closed loops")
    parser.add_argument("--only-scenarios", action="store_true", help="only what concerns us")
    given = parser.parse_args()
    signed = signed_package()
    package, trusted = signed.package.path, signed.trusted_keys
    texts = corpus()
    before = json.loads(RESULTS.read_text()) if given.add and RESULTS.exists() else {}
    result: dict[str, Any] = {
        "slices": before.get("slices", []),
        "not_measured": before.get("not_measured", {}),
        "scenarios": before.get("scenarios", {}),
    }
    slices, missing = result["slices"], result["not_measured"]
    for name in {one["server"] for one in slices}:
        missing.pop(name, None)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(texts, file)
        file.flush()
        for _ in range(0 if given.only_scenarios else given.rounds):
            for name in ("ours", "ours-fp32", *given.peers):
                model = "model.onnx" if name.endswith("fp32") else "model.int8.onnx"
                raw = RawLimit(package, model, given.threads, Path(file.name))
                try:
                    place = (package, trusted, given.threads)
                    found = measure_server(name, raw, place, texts, given.seconds)
                    slices.extend(found)
                    missing.pop(name, None)
                    _say(name, found)
                except RuntimeError as error:
                    if not any(one["server"] == name for one in slices):
                        missing[name] = str(error)
                    print(f"{name}: not measured: {error}", file=sys.stderr)
                finally:
                    raw.close()
                # After every server, so that a run that is stopped is not lost.
                _keep(result, given.threads)
    if not given.skip_scenarios:
        result["scenarios"] |= _scenarios(given, package, trusted, texts)
    _keep(result, given.threads)
    for aim in result["aims"]:
        print(
            "met   " if aim["met"] else "MISSED",
            f"{aim['name']}: {aim['measured']} ({aim['goal']})",
        )


def _keep(result: dict[str, Any], threads: int) -> None:
    """Write the results and the page."""
    result |= {"machine": _machine(threads), "date": datetime.now(UTC).date().isoformat()}
    result |= summarise(result)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    write_page(result)


def _scenarios(given: Any, package: Path, trusted: Path, texts: Sequence[str]) -> dict[str, Any]:
    second = signed_package(variant=40).package.path
    rounds = max(3, given.rounds)
    return {
        "loads": scenarios.loads(package, trusted, given.threads, texts, 2 * given.seconds, rounds),
        "repeats": scenarios.repeats(package, trusted, given.threads, texts, given.seconds, rounds),
        "switching": scenarios.switching(
            (package, second), trusted, given.threads, texts, given.switches
        ),
    }


def _say(name: str, slices: Sequence[dict[str, Any]]) -> None:
    parts = [
        f"c={one['concurrency']}: {one['throughput']:.0f}/s "
        f"({one['throughput'] / one['raw']:.2f} of raw, "
        f"{one['cpu_ms']:.2f} ms CPU against {one['raw_cpu_ms']:.2f})"
        for one in slices
    ]
    print(f"{name}: " + "; ".join(parts), file=sys.stderr)


def _machine(threads: int) -> dict[str, Any]:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    load = os.getloadavg()[0]
    return {
        "processor": model,
        "cores": threads,
        "load_average": round(load, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


if __name__ == "__main__":
    end_in_order()
    main()
