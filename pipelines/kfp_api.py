"""The part of Kubeflow Pipelines' published API (v2beta1) that we use, with our errors.

Objects are found by looking through the lists, never by trusting that a name is unique: KFP accepts
two recurring runs of one name.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kfp_server_api as kfp
import urllib3
from kfp_server_api.exceptions import ApiException

from shield.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Misconfigured,
    NotFound,
    ShieldError,
    Unauthenticated,
    Unavailable,
)

PIPELINE = "weekly-retraining"
WATCH = "drift-watch"
DESCRIPTIONS = {
    PIPELINE: "Feedback in, at most one new model version out.",
    WATCH: "Looks for drift; where there is some, feedback becomes a version at once.",
}
EXPERIMENT = "antispam-shield"
PAGE_SIZE = 100
TIMEOUTS = (5, 15)
"""Seconds to connect, and to wait for an answer. Integers: the client ignores any other number."""
TRIES = 2
"""Of one call. All of them, in both tries of the chart's delete hook, end before its deadline."""


def version_name(package: Path, pipeline: str = PIPELINE) -> str:
    """Return the version's name: its content decides, so that the same pipeline is one version."""
    return f"{pipeline}-{hashlib.sha256(package.read_bytes()).hexdigest()[:12]}"


class KfpApi:
    """A KFP API server, seen through the generated client."""

    def __init__(
        self,
        host: str,
        *,
        namespace: str | None = None,
        token: str | None = None,
        ca_file: Path | None = None,
        timeouts: tuple[int, int] = TIMEOUTS,
    ) -> None:
        """Connect to `host`, an http:// or https:// URL. Raises `Misconfigured` for another."""
        if not host.startswith(("http://", "https://")):
            raise Misconfigured(
                f"--host must be a URL, not {host!r}. Write http://{host} or https://{host}."
            )
        configuration = kfp.Configuration(host=host.rstrip("/"))
        configuration.retries = TRIES - 1
        configuration.ssl_ca_cert = str(ca_file) if ca_file else None
        if token:
            configuration.api_key = {"authorization": f"Bearer {token}"}
        self._host = host
        self._namespace = namespace
        self._timeouts = timeouts
        client = kfp.ApiClient(configuration)
        self._pipelines = kfp.PipelineServiceApi(client)
        self._uploads = kfp.PipelineUploadServiceApi(client)
        self._experiments = kfp.ExperimentServiceApi(client)
        self._recurring = kfp.RecurringRunServiceApi(client)
        self._runs = kfp.RunServiceApi(client)

    def version(self, package: Path, pipeline: str = PIPELINE) -> tuple[str, str, str]:
        """Return (pipeline id, version id, version name), uploading what is missing."""
        name = version_name(package, pipeline)
        pipeline_id = self._find_pipeline(pipeline) or self._make_pipeline(pipeline)
        there = self._find_version(pipeline_id, name)
        if there is not None:
            return pipeline_id, there, name
        with self._explained(f"upload {package}"):
            made = self._uploads.upload_pipeline_version(
                str(package),
                name=name,
                display_name=name,
                pipelineid=pipeline_id,
                **self._limits(),
            )
        return pipeline_id, str(made.pipeline_version_id), name

    def find_version(self, package: Path, pipeline: str = PIPELINE) -> str | None:
        """Return the id of a package's version, or None when it is not on the server."""
        pipeline_id = self._find_pipeline(pipeline)
        if pipeline_id is None:
            return None
        return self._find_version(pipeline_id, version_name(package, pipeline))

    def _find_version(self, pipeline_id: str, name: str) -> str | None:
        with self._explained("list the versions of a pipeline"):
            for version in self._pages(
                self._pipelines.pipeline_service_list_pipeline_versions,
                "pipeline_versions",
                pipeline_id,
                sort_by="created_at desc",
            ):
                if name in (version.name, version.display_name):
                    return str(version.pipeline_version_id)
        return None

    def _find_pipeline(self, name: str) -> str | None:
        with self._explained("list pipelines"):
            for item in self._pages(
                self._pipelines.pipeline_service_list_pipelines, "pipelines", **self._scope()
            ):
                if name in (item.name, item.display_name):
                    return str(item.pipeline_id)
        return None

    def _make_pipeline(self, name: str) -> str:
        with self._explained(f"make the pipeline {name}"):
            made = self._pipelines.pipeline_service_create_pipeline(
                kfp.V2beta1Pipeline(
                    name=name,
                    display_name=name,
                    description=DESCRIPTIONS[name],
                    **self._scope(),
                ),
                **self._limits(),
            )
        return str(made.pipeline_id)

    def experiment(self) -> kfp.V2beta1Experiment:
        """Return our experiment, making it if need be."""
        experiment = self.find_experiment()
        if experiment is not None:
            return experiment
        with self._explained(f"make the experiment {EXPERIMENT}"):
            return self._experiments.experiment_service_create_experiment(
                kfp.V2beta1Experiment(
                    display_name=EXPERIMENT,
                    description="Weekly retraining, by model type.",
                    **self._scope(),
                ),
                **self._limits(),
            )

    def find_experiment(self) -> kfp.V2beta1Experiment | None:
        """Return our experiment, or None when nothing was ever deployed."""
        with self._explained("list experiments"):
            for item in self._pages(
                self._experiments.experiment_service_list_experiments,
                "experiments",
                **self._scope(),
            ):
                if item.display_name == EXPERIMENT:
                    return item
        return None

    def recurring_runs(self, experiment_id: str) -> list[Any]:
        """Return all recurring runs of an experiment."""
        with self._explained("list recurring runs"):
            return list(
                self._pages(
                    self._recurring.recurring_run_service_list_recurring_runs,
                    "recurring_runs",
                    experiment_id=experiment_id,
                    **self._scope(),
                )
            )

    def create_recurring_run(self, wanted: kfp.V2beta1RecurringRun) -> Any:
        """Create a recurring run and return it as the server keeps it."""
        with self._explained(f"create the recurring run {wanted.display_name}"):
            return self._recurring.recurring_run_service_create_recurring_run(
                wanted, **self._limits()
            )

    def delete_recurring_run(self, found: Any) -> None:
        """Delete a recurring run; a missing one is no error."""
        with self._explained(f"delete the recurring run {found.display_name}"):
            try:
                self._recurring.recurring_run_service_delete_recurring_run(
                    found.recurring_run_id, **self._limits()
                )
            except ApiException as error:
                if error.status != 404:
                    raise

    def last_runs(self, experiment_id: str) -> dict[str, Any]:
        """Return the newest run of each recurring run, by the recurring run's id.

        One page is read: the newest hundred runs of the experiment are weeks of ours.
        """
        with self._explained("list runs"):
            page = self._runs.run_service_list_runs(
                experiment_id=experiment_id,
                sort_by="created_at desc",
                page_size=PAGE_SIZE,
                **self._scope(),
                **self._limits(),
            )
        newest: dict[str, Any] = {}
        for run in page.runs or []:
            if run.recurring_run_id:
                newest.setdefault(run.recurring_run_id, run)
        return newest

    def create_run(self, run: kfp.V2beta1Run) -> str:
        """Start a run now and return its id."""
        with self._explained(f"start the run {run.display_name}"):
            return str(self._runs.run_service_create_run(run, **self._limits()).run_id)

    def _pages(self, method: Any, items: str, *arguments: str, **options: Any) -> Iterator[Any]:
        token = ""
        while True:
            page = method(
                *arguments, page_size=PAGE_SIZE, page_token=token, **options, **self._limits()
            )
            yield from getattr(page, items) or []
            token = page.next_page_token
            if not token:
                return

    def _scope(self) -> dict[str, str]:
        return {"namespace": self._namespace} if self._namespace else {}

    def _limits(self) -> dict[str, tuple[int, int]]:
        return {"_request_timeout": self._timeouts}

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise _ours(error, doing, self._host) from error
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(
                f"Could not {doing}: Kubeflow Pipelines at {self._host} does not answer. "
                "Check --host, and that its API server (ml-pipeline) runs."
            ) from error


def _ours(error: ApiException, doing: str, host: str) -> ShieldError:
    said = str(error.body or error.reason or "")[:500]
    kinds: dict[int, tuple[type[ShieldError], str]] = {
        400: (Invalid, "Correct what it names."),
        401: (Unauthenticated, "Give a token for the KFP API with --token-file."),
        403: (Forbidden, "Give the ServiceAccount the rights that manifests/ and helm/ describe."),
        404: (NotFound, "Check --host; the API of KFP 2.17 is needed."),
        409: (Conflict, "Somebody deployed at the same moment; deploy again."),
    }
    kind, cure = kinds.get(error.status, (Unavailable, "Look at its logs and try again."))
    return kind(
        f"Could not {doing}: Kubeflow Pipelines at {host} says {error.status}: {said} {cure}"
    )
