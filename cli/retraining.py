"""Pipeline runs as child processes: progress in, one result out.

A run gets a process group of its own, so that stopping us stops every step of it; the next run with
the same id gets the same batch and finishes the work.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.home import Home, default_cache
from cli.supervise import spawn, stop
from shield.errors import ShieldError
from shield.labels import ModelType

_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Progress:
    """One step of a run has begun, has something to tell, or has ended."""

    name: str
    state: str
    seconds: float | None = None
    detail: str = ""


@dataclass
class Job:
    """A pipeline run in progress."""

    process: "subprocess.Popen[bytes]"
    output: Path
    log: Path
    on_progress: Callable[[Progress], None]
    _seen: int = field(default=0)

    def poll(self) -> bool:
        """Report new progress; return true once the run has ended."""
        ended = self.process.poll() is not None
        self._read()
        return ended

    def result(self) -> dict[str, Any]:
        """Return what an ended run answered.

        Raises:
            ShieldError: It failed; the message is its own last line.
        """
        if self.process.returncode == 0:
            with contextlib.suppress(ValueError):
                answer: dict[str, Any] = json.loads(self.output.read_text())
                return answer
        raise ShieldError(
            f"The pipeline run failed: {self._last_words()} Its log is {self.log}; the corrections "
            "are kept, and running it again goes on where it stopped."
        )

    def stop(self) -> None:
        """End the run and every step of it."""
        stop(self.process, _STOP_SECONDS)

    def _read(self) -> None:
        with self.log.open("rb") as file:
            file.seek(self._seen)
            fresh = file.read()
        whole = fresh.rfind(b"\n") + 1
        self._seen += whole
        for line in fresh[:whole].decode(errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError):
                document = json.loads(line)
                if isinstance(document, dict) and {"name", "state"} <= document.keys():
                    self.on_progress(
                        Progress(
                            name=str(document["name"]),
                            state=str(document["state"]),
                            seconds=document.get("seconds"),
                            detail=str(document.get("detail") or ""),
                        )
                    )

    def _last_words(self) -> str:
        for line in reversed(self.log.read_text(errors="replace").splitlines()):
            if line.strip() and not line.startswith("{"):
                return line.strip()
        return f"exit code {self.process.returncode}."


def weekly(
    home: Home,
    model_type: ModelType,
    run_id: str,
    environment: Mapping[str, str],
    on_progress: Callable[[Progress], None],
    *options: str,
) -> Job:
    """Start the weekly retraining of one model type."""
    command = [
        "--model-type",
        model_type,
        "--run-id",
        run_id,
        "--runs-dir",
        str(home.root / "runs"),
    ]
    return _start(
        home, "pipelines.run", f"run-{run_id}", [*command, *options], environment, on_progress
    )


def drift(
    home: Home,
    model_type: ModelType,
    environment: Mapping[str, str],
    on_progress: Callable[[Progress], None],
    *options: str,
) -> Job:
    """Start the daily look for drift of one model type; it retrains where there is some."""
    command = ["--model-type", model_type, "--runs-dir", str(home.root / "runs"), *options]
    return _start(home, "pipelines.drift", f"drift-{model_type}", command, environment, on_progress)


def base(
    home: Home,
    model_type: ModelType,
    seed: int,
    environment: Mapping[str, str],
    on_progress: Callable[[Progress], None],
    *options: str,
) -> Job:
    """Start the training of a first model; one that was trained before is taken from the cache."""
    command = ["--model-type", model_type, "--seed", str(seed), "--data-dir", str(home.root)]
    command += ["--cache-dir", str(default_cache() / "base")]
    return _start(
        home, "pipelines.base", f"base-{model_type}", [*command, *options], environment, on_progress
    )


def first(
    home: Home,
    model_types: Sequence[ModelType],
    environment: Mapping[str, str],
    on_progress: Callable[[Progress], None],
) -> Job:
    """Start the training of linear first versions, one model type after the other."""
    command = [part for kind in model_types for part in ("--model-type", kind)]
    command += ["--data-dir", str(home.root)]
    return _start(
        home,
        "cli.first_version",
        f"first-{'-'.join(model_types)}",
        command,
        environment,
        on_progress,
    )


def _start(
    home: Home,
    module: str,
    name: str,
    options: Sequence[str],
    environment: Mapping[str, str],
    on_progress: Callable[[Progress], None],
) -> Job:
    log, output = home.logs / f"{name}.log", home.root / "runs" / f"{name}.answer.json"
    before = log.stat().st_size if log.exists() else 0
    command = [sys.executable, "-m", module, *options, "--json"]
    process = spawn(command, environment, log, home.root, answer=output)
    return Job(process, output, log, on_progress, before)
