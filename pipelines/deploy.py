"""Bring a Kubeflow Pipelines server to what a file says; the chart's Job runs this.

    python -m pipelines.deploy deploy --host URL --config deployment.json [--token-file F]
    python -m pipelines.deploy status --host URL [--namespace N]
    python -m pipelines.deploy delete --host URL [--namespace N]
    python -m pipelines.deploy compile --config deployment.json --package pipeline.yaml
    python -m pipelines.deploy native --config deployment.json | kubectl apply -f -

The result goes to stdout as JSON, one object per line.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from pipelines.kfp_api import KfpApi
from pipelines.kubernetes import ClusterSettings, compile_for_cluster
from pipelines.native import apply_native, native_objects
from pipelines.server import PipelineServer, Schedule
from shield.errors import Misconfigured, ShieldError
from shield.labels import ModelType


class RunConfig(BaseModel):
    """One model type's schedule."""

    model_config = ConfigDict(extra="forbid")

    cron: str
    parameters: dict[str, Any] = {}


class DeploymentConfig(BaseModel):
    """What a server should have."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    runs: dict[ModelType, RunConfig]
    service_account: str | None = None
    namespace: str | None = None
    kubernetes: ClusterSettings

    def schedules(self) -> list[Schedule]:
        """Return one schedule per model type."""
        return [
            Schedule(model_type.value, run.cron, run.parameters, self.service_account)
            for model_type, run in self.runs.items()
        ]


def read_config(path: Path) -> DeploymentConfig:
    """Read a deployment file.

    Raises:
        Misconfigured: It cannot be read, or names something unknown.
    """
    try:
        return DeploymentConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read ({error.strerror}). Check --config.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path} is wrong at {where}: {first['msg']}. Correct it.") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit code."""
    given = _parse(arguments)
    try:
        for outcome in _act(given):
            sys.stdout.write(json.dumps(outcome) + "\n")
    except ShieldError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _act(given: argparse.Namespace) -> list[dict[str, Any]]:
    config = read_config(given.config) if given.config else None
    if given.action in {"deploy", "compile", "native"} and config is None:
        raise Misconfigured(f"`{given.action}` needs --config.")
    if given.action == "compile":
        assert config is not None
        target = given.package or Path("pipeline.yaml")
        return [{"package": str(compile_for_cluster(config.kubernetes, target))}]
    if given.action == "native":
        assert config is not None
        with _package(given.package, config) as package:
            return native_objects(package, config.namespace)
    if given.host is None:
        raise Misconfigured(f"`{given.action}` needs --host, the URL of the KFP API server.")
    namespace = given.namespace or (config.namespace if config else None)
    token = _token(given.token_file)
    server = PipelineServer(
        KfpApi(given.host, namespace=namespace, token=token, ca_file=given.ca_file)
    )
    if given.action == "status":
        return [asdict(outcome) for outcome in server.status()]
    if given.action == "delete":
        return [asdict(outcome) for outcome in server.delete()]
    assert config is not None
    with _package(given.package, config) as package:
        if given.native:
            apply_native(native_objects(package, namespace))
        return [asdict(outcome) for outcome in server.deploy(package, config.schedules())]


@contextmanager
def _package(given: Path | None, config: DeploymentConfig) -> Iterator[Path]:
    """Yield the compiled pipeline: the one that is given, or our own as the cluster needs it."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield compile_for_cluster(config.kubernetes, Path(folder) / "pipeline.yaml")


def _token(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text().strip()
    except OSError as error:
        raise Misconfigured(
            f"The token file {path} cannot be read ({error.strerror}). Check --token-file."
        ) from error


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.deploy",
        description="Bring a Kubeflow Pipelines server to what a file says.",
    )
    parser.add_argument("action", choices=["deploy", "status", "delete", "compile", "native"])
    parser.add_argument("--host", help="URL of the KFP API server")
    parser.add_argument("--config", type=Path, help="deployment file (JSON)")
    parser.add_argument("--package", type=Path, help="a compiled pipeline, instead of our own")
    parser.add_argument("--namespace", help="of experiments and runs, in a multi-user Kubeflow")
    parser.add_argument("--token-file", type=Path, help="bearer token for the KFP API")
    parser.add_argument(
        "--native", action="store_true", help="keep the pipeline as Kubernetes objects"
    )
    parser.add_argument("--ca-file", type=Path, help="certificates to trust (PEM)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
