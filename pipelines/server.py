"""Recurring runs on a Kubeflow Pipelines server, as wanted and no other.

Each model type has one that retrains weekly, and one that looks for drift daily.

Deploying is idempotent: it compares what is with what is wanted, and says what it did. The v2beta1
API cannot change a recurring run, so a new one is made before the old one is deleted: a crash
between the two leaves a pair, of which the next deployment removes one. No week is ever skipped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import kfp_server_api as kfp

from pipelines.kfp_api import PIPELINE, WATCH, KfpApi
from pipelines.schedule import Cron

RUN_PREFIX = "antispam-shield-"

Action = Literal["created", "unchanged", "replaced", "deleted"]


@dataclass(frozen=True)
class Schedule:
    """A recurring run of one model type as it should be."""

    model_type: str
    cron: str
    """The usual five fields, UTC."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the pipeline; `model_type` is added."""
    service_account: str | None = None
    """Whose rights the run's pods have. None: the server's default."""
    pipeline_root: str | None = None
    pipeline: str = PIPELINE
    """What it runs: the weekly retraining, or the drift watch."""

    @property
    def name(self) -> str:
        """The recurring run's name on the server."""
        kind = "drift-" if self.pipeline == WATCH else ""
        return f"{RUN_PREFIX}{kind}{self.model_type}"

    @property
    def description(self) -> str:
        """What it does, for the dashboard."""
        does = "Looks for drift of" if self.pipeline == WATCH else "Retrains"
        return f"{does} the {self.model_type} model: {self.cron} (UTC)."

    def arguments(self) -> dict[str, Any]:
        """Return all arguments of the pipeline."""
        return {"model_type": self.model_type, **self.parameters}


@dataclass(frozen=True)
class Outcome:
    """What a deployment did to one recurring run."""

    name: str
    action: Action
    recurring_run_id: str
    cron: str | None = None
    """Six fields, seconds first, as the server has it."""
    version: str | None = None
    enabled: bool = True
    """False: somebody paused it in the dashboard, and it stays paused."""


class PipelineServer:
    """Our recurring runs on one KFP API server."""

    def __init__(self, api: KfpApi) -> None:
        self._api = api

    def deploy(
        self, package: Path, schedules: Sequence[Schedule], watch: Path | None = None
    ) -> list[Outcome]:
        """Bring the server to `schedules`, and delete recurring runs of ours that are not in it.

        Args:
            package: The compiled pipeline. Its content names the version: unchanged, it is reused.
            schedules: At most one per pipeline and model type.
            watch: The compiled drift watch; needed where a schedule runs it.

        Returns:
            One outcome per recurring run, the wanted ones first.

        Raises:
            Invalid: A cron that cannot be, or a pipeline that the server refuses.
            Unavailable: The server does not answer.
        """
        crons = [
            Cron.parse(schedule.cron) for schedule in schedules
        ]  # all, before anything is done
        experiment_id = self._api.experiment()
        versions = {PIPELINE: self._api.version(package)}
        if watch is not None:
            versions[WATCH] = self._api.version(watch, WATCH)
        present = self._present(experiment_id)
        outcomes = []
        for schedule, cron in zip(schedules, crons, strict=True):
            pipeline_id, version_id, version = versions[schedule.pipeline]
            wanted = kfp.V2beta1RecurringRun(
                display_name=schedule.name,
                description=schedule.description,
                experiment_id=experiment_id,
                pipeline_version_reference=kfp.V2beta1PipelineVersionReference(
                    pipeline_id=pipeline_id, pipeline_version_id=version_id
                ),
                runtime_config=kfp.V2beta1RuntimeConfig(
                    parameters=schedule.arguments(), pipeline_root=schedule.pipeline_root
                ),
                service_account=schedule.service_account,
                # Two runs of one model type would only wait for each other's batch.
                max_concurrency="1",
                no_catchup=True,  # after an outage one run learns all that was missed
                trigger=kfp.V2beta1Trigger(
                    cron_schedule=kfp.V2beta1CronSchedule(cron=cron.six_fields())
                ),
                mode=kfp.RecurringRunMode.ENABLE,
            )
            outcomes.append(self._converge(wanted, present.pop(schedule.name, []), version))
        for leftovers in present.values():
            outcomes += [self._delete(found) for found in leftovers]
        return outcomes

    def status(self) -> list[Outcome]:
        """Return our recurring runs as they are."""
        found = self._api.find_experiment()
        if found is None:
            return []
        return [
            Outcome(run.display_name, "unchanged", run.recurring_run_id, _cron(run),
                    _version_id(run), _enabled(run))
            for runs in self._present(found).values()
            for run in runs
        ]  # fmt: skip

    def delete(self) -> list[Outcome]:
        """Delete our recurring runs. The pipeline, its versions and past runs stay."""
        found = self._api.find_experiment()
        if found is None:
            return []
        return [self._delete(run) for runs in self._present(found).values() for run in runs]

    def start(self, package: Path, schedule: Schedule, run_id: str) -> str:
        """Start one run now, and return the server's id of it."""
        experiment_id = self._api.experiment()
        pipeline_id, version_id, _ = self._api.version(package)
        run = kfp.V2beta1Run(
            display_name=run_id,
            experiment_id=experiment_id,
            pipeline_version_reference=kfp.V2beta1PipelineVersionReference(
                pipeline_id=pipeline_id, pipeline_version_id=version_id
            ),
            runtime_config=kfp.V2beta1RuntimeConfig(
                parameters=schedule.arguments(), pipeline_root=schedule.pipeline_root
            ),
            service_account=schedule.service_account,
        )
        return self._api.create_run(run)

    def _converge(
        self, wanted: kfp.V2beta1RecurringRun, present: list[Any], version: str
    ) -> Outcome:
        same = [found for found in present if _same(found, wanted)]
        action: Action
        if same:
            kept, action = same[0], "unchanged"
        else:
            if present and not any(_enabled(found) for found in present):
                wanted.mode = kfp.RecurringRunMode.DISABLE
            kept = self._api.create_recurring_run(wanted)
            action = "replaced" if present else "created"
        for found in present:
            if found.recurring_run_id != kept.recurring_run_id:
                self._delete(found)
        return Outcome(
            wanted.display_name, action, kept.recurring_run_id, _cron(kept), version, _enabled(kept)
        )

    def _present(self, experiment_id: str) -> dict[str, list[Any]]:
        present: dict[str, list[Any]] = {}
        for run in self._api.recurring_runs(experiment_id):
            if run.display_name.startswith(RUN_PREFIX):
                present.setdefault(run.display_name, []).append(run)
        return present

    def _delete(self, found: Any) -> Outcome:
        self._api.delete_recurring_run(found)
        return Outcome(found.display_name, "deleted", found.recurring_run_id)


def _cron(run: Any) -> str | None:
    schedule = run.trigger.cron_schedule if run.trigger else None
    return schedule.cron if schedule else None


def _version_id(run: Any) -> str | None:
    reference = run.pipeline_version_reference
    return reference.pipeline_version_id if reference else None


def _enabled(run: Any) -> bool:
    return bool(run.mode != kfp.RecurringRunMode.DISABLE)


def _same(found: Any, wanted: Any) -> bool:
    """Tell whether `found` does what `wanted` would. A pause is the user's, and no difference."""
    config = found.runtime_config
    return (
        _cron(found) == _cron(wanted)
        and _version_id(found) == _version_id(wanted)
        and bool(found.no_catchup)
        and int(found.max_concurrency or 0) == 1
        and (config.parameters or {} if config else {}) == wanted.runtime_config.parameters
        and (config.pipeline_root or None if config else None)
        == (wanted.runtime_config.pipeline_root or None)
        # Left out, the server fills in its own.
        and wanted.service_account in (None, found.service_account)
    )
