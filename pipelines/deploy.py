"""Bring a Kubeflow Pipelines server to what a file says; the chart's Job runs this.

    python -m pipelines.deploy deploy --host URL [--config deployment.json] [--token-file F]
    python -m pipelines.deploy status --host URL [--namespace N]
    python -m pipelines.deploy delete --host URL [--namespace N]
    python -m pipelines.deploy compile --config deployment.json --package pipeline.yaml
    python -m pipelines.deploy native --config deployment.json | kubectl apply -f -

Without a file it deploys what a release `antispam-shield` of the chart in `--namespace` would: for
each model type a weekly retraining and a daily look for drift. `--cron` changes when they retrain;
`--type` leaves all other model types as they are. The result goes to stdout as JSON, one object per
line.
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

from pipelines.drift_graph import build_watch
from pipelines.kfp_api import PIPELINE, WATCH, KfpApi
from pipelines.kubernetes import ClusterSettings, compile_for_cluster
from pipelines.native import apply_native, native_objects
from pipelines.recurring import RELEASE, Schedule, Version
from pipelines.server import PipelineServer
from shield.environment import read_secret
from shield.errors import Misconfigured, ShieldError
from shield.labels import ModelType
from shield.retraining import RetrainingParameters, WatchParameters, checked
from shield.wire import SCHEDULED

WEEKLY = "0 3 * * 1"
"""Monday 03:00 UTC, as the chart's values have it."""
DAILY = "30 4 * * *"
"""Every day 04:30 UTC, for the drift watch; likewise."""


class RunConfig(BaseModel):
    """One model type's schedule."""

    model_config = ConfigDict(extra="forbid")

    cron: str
    parameters: dict[str, Any] = {}


class DeploymentConfig(BaseModel):
    """What a server should have."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    runs: dict[ModelType, RunConfig]
    watches: dict[ModelType, RunConfig] = {}
    """When to look for drift; a model type without one is not looked at."""
    service_account: str | None = None
    namespace: str | None = None
    """Where the release is: its runs must be there too."""
    release: str = RELEASE
    """Of the chart. It owns its recurring runs, which are named after it."""
    kubernetes: ClusterSettings

    def check(self) -> None:
        """Refuse parameters that our own pipelines do not have. Raises `Invalid`."""
        for kind, runs in ((RetrainingParameters, self.runs), (WatchParameters, self.watches)):
            for run in runs.values():
                checked(run.parameters, kind)

    def schedules(self, *, own: bool = True) -> list[Schedule]:
        """Return the schedules of all model types: the weekly ones, then those of the watch.

        Args:
            own: Whether the retraining is ours, which is told that its schedule has started it.
        """
        told = {PIPELINE: {"trigger": SCHEDULED}} if own else {}
        return [
            Schedule(
                model_type.value,
                run.cron,
                {**told.get(pipeline, {}), **run.parameters},
                self.service_account,
                pipeline=pipeline,
                release=self.release,
            )
            for pipeline, runs in ((PIPELINE, self.runs), (WATCH, self.watches))
            for model_type, run in runs.items()
        ]


def default_config(namespace: str | None, release: str = RELEASE) -> DeploymentConfig:
    """Return what a release of the chart with default values deploys."""
    place = namespace or "antispam-shield"
    return DeploymentConfig(
        runs={model_type: RunConfig(cron=WEEKLY) for model_type in ModelType},
        watches={model_type: RunConfig(cron=DAILY) for model_type in ModelType},
        namespace=namespace,
        release=release,
        kubernetes=ClusterSettings(
            api_url=f"http://{release}-api.{place}.svc:8000",
            artifacts_root="s3://antispam-shield",
            signing_secret=f"{release}-signing",
            trusted_secret=f"{release}-trusted-keys",
        ),
    )


def narrowed(
    config: DeploymentConfig, types: Sequence[ModelType], cron: str | None
) -> DeploymentConfig:
    """Return the deployment of `types` alone (none: of all it has), all at `cron` if it is given.

    A type that the file does not have gets the cron, or else the weekly one, and no parameters. The
    cron is that of the retraining; the drift watch keeps its own.
    """
    chosen = types or list(config.runs)
    runs = {type_: config.runs.get(type_, RunConfig(cron=WEEKLY)) for type_ in chosen}
    if cron is not None:
        runs = {type_: run.model_copy(update={"cron": cron}) for type_, run in runs.items()}
    watches = {type_: run for type_, run in config.watches.items() if type_ in chosen}
    return config.model_copy(update={"runs": runs, "watches": watches})


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
    try:
        for outcome in outcomes(arguments):
            sys.stdout.write(json.dumps(outcome) + "\n")
    except ShieldError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def outcomes(arguments: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Do what the command line says, and return what it did.

    Raises:
        ShieldError: As `PipelineServer` and `read_config` do.
    """
    options = _parse(arguments)
    if options.config:
        config = read_config(options.config)
    else:
        config = default_config(options.namespace, options.release or RELEASE)
    if options.release:
        config = config.model_copy(update={"release": options.release})
    config = narrowed(config, options.type, options.cron)
    if options.package is None:
        config.check()
    namespace = options.namespace or config.namespace
    if options.action == "compile":
        target = options.package or Path("pipeline.yaml")
        made = [compile_for_cluster(config.kubernetes, target)]
        if config.watches:
            beside = target.with_stem(f"{target.stem}-{WATCH}")
            made.append(compile_for_cluster(config.kubernetes, beside, build_watch))
        return [{"package": str(path)} for path in made]
    if options.action == "native":
        with _packages(options.package, config) as packages:
            return _native(packages, namespace)
    if options.host is None:
        raise Misconfigured(f"`{options.action}` needs --host, the URL of the KFP API server.")
    token = read_secret(options.token_file, "--token-file") if options.token_file else None
    server = PipelineServer(
        KfpApi(options.host, namespace=namespace, token=token, ca_file=options.ca_file),
        namespace=namespace,
        release=config.release,
    )
    if options.action == "delete":
        return [asdict(outcome) for outcome in server.delete(options.type)]
    if options.action == "status" and not options.config:
        return [asdict(outcome) for outcome in server.status()]
    schedules = config.schedules(own=options.package is None)
    with _packages(options.package, config) as packages:
        if options.action == "status":
            return [asdict(each) for each in server.status(schedules, packages)]
        kept: dict[str, Version] | None = None
        if options.native:
            kept = {
                pipeline: apply_native(native_objects(package, namespace, pipeline))
                for pipeline, package in packages.items()
            }
        done = server.deploy(
            packages[PIPELINE],
            schedules,
            packages.get(WATCH),
            only=options.type,
            versions=kept,
        )
        return [asdict(outcome) for outcome in done]


@contextmanager
def _packages(options: Path | None, config: DeploymentConfig) -> Iterator[dict[str, Path]]:
    """Yield the compiled pipelines: the retraining that is given, or our own; and the watch."""
    with tempfile.TemporaryDirectory() as folder:
        weekly = options or compile_for_cluster(config.kubernetes, Path(folder) / "pipeline.yaml")
        packages = {PIPELINE: weekly}
        if config.watches:
            path = Path(folder) / "watch.yaml"
            packages[WATCH] = compile_for_cluster(config.kubernetes, path, build_watch)
        yield packages


def _native(packages: dict[str, Path], namespace: str | None) -> list[dict[str, Any]]:
    return [
        manifest
        for pipeline, package in packages.items()
        for manifest in native_objects(package, namespace, pipeline)
    ]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.deploy",
        description="Bring a Kubeflow Pipelines server to what a file says.",
    )
    parser.add_argument("action", choices=["deploy", "status", "delete", "compile", "native"])
    parser.add_argument("--host", help="URL of the KFP API server")
    parser.add_argument("--config", type=Path, help="deployment file (JSON)")
    parser.add_argument(
        "--type",
        type=ModelType,
        action="append",
        default=[],
        help="touch only this model type's runs; repeat",
    )
    parser.add_argument("--cron", help="when all of them retrain: five fields, UTC")
    parser.add_argument("--package", type=Path, help="a compiled retraining, not our own")
    parser.add_argument("--namespace", help="of the release; its runs must be there too")
    parser.add_argument("--release", help=f"of the chart, whose runs these are; else {RELEASE}")
    parser.add_argument("--token-file", type=Path, help="bearer token for the KFP API")
    parser.add_argument(
        "--native", action="store_true", help="keep the pipeline as Kubernetes objects"
    )
    parser.add_argument("--ca-file", type=Path, help="certificates to trust (PEM)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
