"""What a recurring run should be, which ones are ours, and how one that is there compares.

KFP keeps no labels on a recurring run, so its description says which release of the chart it
belongs to: two releases on one server leave each other's runs alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import kfp_server_api as kfp

from pipelines.kfp_api import EXPERIMENT, PIPELINE, WATCH
from pipelines.schedule import Cron
from shield.labels import ModelType

RELEASE = "antispam-shield"
"""The release that is meant where none is named."""
_MARK = re.compile(r"Release: ([\w.-]+)$")

Version = tuple[str, str, str]
"""Id of a pipeline, id of its version, name of the version."""
Action = Literal["created", "unchanged", "replaced", "deleted", "missing"]


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
    release: str = RELEASE
    """Of the chart; it owns the recurring run, which is named after it."""

    @property
    def name(self) -> str:
        """The recurring run's name on the server."""
        return run_name(self.release, self.pipeline, self.model_type)

    @property
    def description(self) -> str:
        """What it does and whose it is, for the dashboard and for the next deployment."""
        does = "Looks for drift of" if self.pipeline == WATCH else "Retrains"
        return f"{does} the {self.model_type} model: {self.cron} (UTC). Release: {self.release}"

    def arguments(self) -> dict[str, Any]:
        """Return all arguments of the pipeline."""
        return {"model_type": self.model_type, **self.parameters}


@dataclass(frozen=True)
class Outcome:
    """One recurring run, and what a deployment did to it."""

    name: str
    action: Action
    recurring_run_id: str
    cron: str | None = None
    """Six fields, seconds first, as the server has it."""
    version: str | None = None
    enabled: bool = True
    """False: somebody paused it in the dashboard, and it stays paused."""
    namespace: str | None = None
    """Where its pods run; None where the server does not say."""
    zone: str | None = None
    """In which the server reads the cron, as its last run shows; None before the first."""
    next_trigger: str | None = None
    """ISO 8601, UTC; in the zone above, or else in UTC."""
    last_outcome: str | None = None
    """State of its newest run on the server, and when that began."""
    differs: tuple[str, ...] = ()
    """What is not as the configuration wants it."""
    note: str | None = None
    """What somebody should know or do."""


def recurring_run(
    schedule: Schedule, cron: Cron, experiment_id: str, version: Version
) -> kfp.V2beta1RecurringRun:
    """Return the recurring run that a schedule stands for, as it is sent to the server."""
    return kfp.V2beta1RecurringRun(
        display_name=schedule.name,
        description=schedule.description,
        experiment_id=experiment_id,
        pipeline_version_reference=kfp.V2beta1PipelineVersionReference(
            pipeline_id=version[0], pipeline_version_id=version[1]
        ),
        runtime_config=kfp.V2beta1RuntimeConfig(
            parameters=schedule.arguments(), pipeline_root=schedule.pipeline_root
        ),
        service_account=schedule.service_account,
        # Two runs of one model type would only wait for each other's batch.
        max_concurrency="1",
        no_catchup=True,  # after an outage one run learns all that was missed
        trigger=kfp.V2beta1Trigger(cron_schedule=kfp.V2beta1CronSchedule(cron=cron.six_fields())),
        mode=kfp.RecurringRunMode.ENABLE,
    )


def run_name(release: str, pipeline: str, model_type: str) -> str:
    """Return the name of a recurring run on the server."""
    return f"{release}-{'drift-' if pipeline == WATCH else ''}{model_type}"


def run_names(release: str, model_types: tuple[ModelType, ...] = tuple(ModelType)) -> set[str]:
    """Return the names of all recurring runs that a release may have."""
    return {run_name(release, kind, type_) for kind in (PIPELINE, WATCH) for type_ in model_types}


def is_of(release: str, run: Any) -> bool:
    """Tell whether a recurring run belongs to a release.

    By its mark; one without any mark by its name alone: earlier versions made them so, and so does
    a copy made by hand in the dashboard, which would retrain every week beside ours.
    """
    if run.display_name not in run_names(release):
        return False
    mark = _MARK.search(run.description or "")
    return mark is None or mark[1] == release


def cron_of(run: Any) -> str | None:
    """Return the cron of a recurring run on the server: six fields."""
    schedule = run.trigger.cron_schedule if run.trigger else None
    return schedule.cron if schedule else None


def version_of(run: Any) -> str | None:
    """Return the id of the pipeline's version that a recurring run uses."""
    reference = run.pipeline_version_reference
    return reference.pipeline_version_id if reference else None


def is_enabled(run: Any) -> bool:
    """Tell whether a recurring run is not paused."""
    return bool(run.mode != kfp.RecurringRunMode.DISABLE)


def differences(run: Any, wanted: kfp.V2beta1RecurringRun) -> tuple[str, ...]:
    """Name what a recurring run does otherwise than wanted. A pause is the user's, and none."""
    config = run.runtime_config
    root = (config.pipeline_root or None) if config else None
    parameters = (config.parameters or {}) if config else {}
    unlike = {
        "cron": cron_of(run) != cron_of(wanted),
        "version": version_of(run) != version_of(wanted),
        "noCatchup": not run.no_catchup,
        "maxConcurrency": int(run.max_concurrency or 0) != 1,
        "parameters": parameters != wanted.runtime_config.parameters,
        "pipelineRoot": root != (wanted.runtime_config.pipeline_root or None),
        # Left out, the server fills in its own.
        "serviceAccount": wanted.service_account not in (None, run.service_account),
        "release": _MARK.search(run.description or "") is None,
    }
    return tuple(name for name, differs in unlike.items() if differs)


def archived(experiment: kfp.V2beta1Experiment) -> str | None:
    """Return what somebody should know of an archived experiment; None for any other."""
    if experiment.storage_state != kfp.V2beta1ExperimentStorageState.ARCHIVED:
        return None
    return (
        f"The experiment {EXPERIMENT} is archived, which pauses its runs. Restore it in the "
        "dashboard and enable them there."
    )


def newest(runs: list[Any]) -> Any:
    """Return the run that stays where there are several of one name; all deployments agree on it.

    The server keeps whole seconds, so the id decides between two of the same second.
    """
    return max(runs, key=lambda run: (_aware(run.created_at), run.recurring_run_id))


def timing(run: Any, last: Any, now: datetime) -> tuple[str | None, str | None]:
    """Return the zone in which the server reads a run's cron, and when it is due next.

    Args:
        run: The recurring run.
        last: Its newest run, or None. The API does not tell the zone; when that was due does.
        now: Aware.
    """
    six = (cron_of(run) or "").split()
    if len(six) != 6 or six[0] != "0":
        return None, None
    cron = Cron.parse(" ".join(six[1:]))
    due = _aware(last.scheduled_at) if last is not None and last.scheduled_at else None
    # A run that was started by hand has no due time of the schedule; KFP writes 1970.
    zone = cron.zone_of(due) if due is not None and due.year > 1970 else None
    offset = zone.utcoffset(None) if zone is not None else None
    if offset is None:
        return None, cron.next_after(now).isoformat()
    # Due when the clock of that zone shows what the cron says.
    following = cron.next_after(now.astimezone(UTC) + offset) - offset
    return str(zone), following.isoformat()


def _aware(moment: datetime | None) -> datetime:
    if moment is None:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
