"""Servers as process trees: start, stop, processor time, memory."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.serving.environments import python_of

PEERS = Path(__file__).parent / "peers"
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 120.0


@dataclass
class Server:
    """A running server and how to ask it."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    path: str
    template: str
    """JSON body with %s for the JSON-encoded text."""
    start_seconds: float

    @property
    def url(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def body(self, text: str) -> bytes:
        """Return the request body for a text."""
        return self.template.replace("%s", json.dumps(text)).encode()

    def cpu_seconds(self) -> float:
        """Return user and system time of the tree so far, ended children included."""
        return sum(map(_cpu, tree(self.process.pid)))

    def memory_mb(self) -> float:
        """Return the proportional set size of the tree, in MiB."""
        return sum(map(_pss, tree(self.process.pid))) / 1024


def tree(root: int) -> list[int]:
    """Return `root`, its descendants, and its session: a helper may have left one or the other."""
    parents: dict[int, int] = {}
    found = {root}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        try:
            parents[pid] = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            if os.getsid(pid) == root:
                found.add(pid)
        except OSError:
            continue
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


_PLAIN = '{"text": %s}'
_V2 = '{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":[%s]}]}'


@contextmanager
def running(
    name: str, package: Path, trusted: Path, threads: int, **settings: str
) -> Iterator[Server]:
    """Run `ours`, `ours-fp32` or a peer until the block ends.

    Raises:
        RuntimeError: It does not start here; the message is its log's last line.
    """
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
    command, path, template = _command(name, package, port, threads, folder)
    environment = os.environ | {
        "BENCH_PACKAGE": str(package),
        "BENCH_PORT": str(port),
        "BENCH_THREADS": str(threads),
        "OMP_NUM_THREADS": "1",
        "SHIELD_TRUSTED_KEYS": str(trusted),
        "SHIELD_SERVER_THREADS": str(threads),
        "PYTHONPATH": os.pathsep.join([str(PEERS), str(Path.cwd())]),
        "BENTOML_HOME": str(folder),
        "BENTOML_DO_NOT_TRACK": "True",
        "RAY_USAGE_STATS_ENABLED": "0",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        **{f"SHIELD_SERVER_{key.upper()}": value for key, value in settings.items()},
    }
    started = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=Path.cwd(), stdout=log, stderr=log, start_new_session=True
        )
    server = Server(name, process, port, path, template, 0.0)
    try:
        _await_answer(server, folder / "log")
        server.start_seconds = time.perf_counter() - started
        yield server
    finally:
        _stop(process)


def _command(
    name: str, package: Path, port: int, threads: int, folder: Path
) -> tuple[list[str], str, str]:
    peer = name.removesuffix("-fp32")
    python = str(python_of(peer))
    app = str(PEERS / f"{peer}_app.py")
    if peer == "ours":
        precision = "fp32" if name.endswith("-fp32") else "int8"
        ours = [sys.executable, "-m", "serving.server", "--model-type", "sms", "--version", "v1"]
        serve = ["--package", str(package), "--port", str(port), "--precision", precision]
        return [*ours, *serve], "/predict", _PLAIN
    if peer == "bentoml":
        serve = ["-m", "bentoml", "serve", "bentoml_app:Sms", "--port", str(port)]
        return [python, *serve, "--working-dir", str(PEERS)], "/predict", _PLAIN
    if peer == "mlserver":
        _write_mlserver(folder, port, threads)
        start = "import sys; from mlserver.cli import main; sys.argv.insert(1, 'start'); main()"
        return [python, "-c", start, str(folder)], "/v2/models/sms/infer", _V2
    if peer == "kserve":
        return [python, app], "/v2/models/sms/infer", _V2
    return [python, app], "/predict", _PLAIN


def _write_mlserver(folder: Path, port: int, threads: int) -> None:
    settings: dict[str, Any] = {
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "host": "127.0.0.1",
        "parallel_workers": threads,
        "debug": False,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    model = {"name": "sms", "implementation": "mlserver_app.Sms"}
    (folder / "model-settings.json").write_text(json.dumps(model))


def _await_answer(server: Server, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        try:
            request = urllib.request.Request(
                server.url, server.body("hello"), {"content-type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.05)
    lines = log.read_text(errors="replace").strip().splitlines() or ["no log"]
    raise RuntimeError(f"{server.name} does not start: {lines[-1][:200]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and all it has started, helpers that ignore the polite way included."""
    # With their start times: a process id may be given to somebody else meanwhile.
    everybody = {pid: _started(pid) for pid in tree(process.pid)}
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid, started in everybody.items():
        if started is not None and _started(pid) == started:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _started(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[19]
    except OSError:
        return None
