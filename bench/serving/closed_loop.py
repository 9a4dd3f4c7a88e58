"""wrk: so many connections, each sends its next request when it has its answer."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.serving.processes import Server


@dataclass(frozen=True)
class Slice:
    """One short measurement."""

    server: str
    concurrency: int
    throughput: float
    """Answers per second; errors are not counted."""
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_ms: float
    """Processor milliseconds of the server's whole tree per answer."""
    memory_mb: float

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return asdict(self)


def write_script(path: Path, server: Server, texts: Sequence[str]) -> None:
    """Write wrk's script: the bodies one after the other, from a different start per thread."""
    bodies = ",\n".join(f"[===[{server.body(text).decode()}]===]" for text in texts)
    path.write_text(
        'wrk.method = "POST"\n'
        'wrk.headers["content-type"] = "application/json"\n'
        f"local bodies = {{\n{bodies}\n}}\n"
        "local place = 0\n"
        "request = function()\n"
        "  place = place % #bodies + 1\n"
        "  return wrk.format(nil, nil, nil, bodies[place])\n"
        "end\n"
        "done = function(summary, latency, requests)\n"
        '  io.write(string.format(\'RESULT {"requests": %d, "microseconds": %d, "p50": %d, '
        '"p99": %d, "status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}\\n\', '
        "summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), "
        "summary.errors.status, summary.errors.connect, summary.errors.read, summary.errors.write, "
        "summary.errors.timeout))\n"
        "end\n"
    )


def measure(server: Server, script: Path, concurrency: int, seconds: int) -> Slice:
    """Run wrk once.

    Raises:
        RuntimeError: There is no wrk, or it says nothing.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError(
            "wrk is not installed. `apt-get install wrk`, or your system's equivalent."
        )
    cpu = server.cpu_seconds()
    done = subprocess.run(
        [wrk, "-t1", f"-c{concurrency}", f"-d{seconds}s", "-s", str(script), server.url],
        capture_output=True,
        text=True,
        check=False,
    )
    cpu = server.cpu_seconds() - cpu
    found = re.search(r"RESULT (\{.*\})", done.stdout)
    if found is None:
        raise RuntimeError(f"wrk said nothing about {server.name}: {done.stderr[-200:]}")
    result = json.loads(found.group(1))
    errors = sum(result[kind] for kind in ("status", "connect", "read", "write", "timeout"))
    # A refusal is quick, and no answer: only answers count.
    answers = result["requests"] - result["status"]
    return Slice(
        server.name,
        concurrency,
        answers / (result["microseconds"] / 1e6),
        result["p50"] / 1000,
        result["p99"] / 1000,
        errors,
        1000 * cpu / max(1, answers),
        server.memory_mb(),
    )
