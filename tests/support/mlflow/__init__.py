"""A real MLflow tracking server, in an environment of its own: its pins are not ours."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.cache import made_once
from tests.support.uv import uv

_HERE = Path(__file__).parent
_REQUIREMENTS = "tests/support/mlflow/requirements.txt"


def _make(folder: Path) -> None:
    environment = folder / "env"
    subprocess.run([uv(), "venv", "--quiet", "--python", "3.11", environment], check=True)
    python = str(environment / "bin/python")
    options = ["--quiet", "--python", python, "-r", str(_HERE / "requirements.txt")]
    subprocess.run([uv(), "pip", "install", *options], check=True)


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Run a tracking server whose data lies in `folder`; yield its URL."""
    python = made_once("mlflow", (_REQUIREMENTS, "tests/support/mlflow"), _make) / "env/bin/python"
    process = subprocess.Popen(
        [python, _HERE / "serve.py", folder],
        stdout=subprocess.PIPE,
        stderr=(folder / "mlflow.log").open("wb"),
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, (folder / "mlflow.log").read_text()
        yield url
    finally:
        process.kill()
        process.wait()
