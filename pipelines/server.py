"""Recurring runs on a Kubeflow Pipelines server, as wanted and no other.

Each model type has one that retrains weekly, and one that looks for drift daily.

Deploying is idempotent: it compares what is with what is wanted, and says what it did. The v2beta1
API cannot change a recurring run, and takes two of one name. So a new one is made before the old
one is deleted, and then the server is looked at again: of several the newest stays. A crash in
between leaves a pair, of which the next deployment removes one; deployments at the same moment
agree on which one stays, and none deletes what it has seen no newer one of. No week is skipped.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import kfp_server_api as kfp

from pipelines.kfp_api import PIPELINE, WATCH, KfpApi
from pipelines.recurring import (
    RELEASE,
    Action,
    Outcome,
    Schedule,
    Version,
    archived,
    cron_of,
    differences,
    is_enabled,
    is_of,
    newest,
    recurring_run,
    run_names,
    timing,
    version_of,
)
from pipelines.schedule import Cron
from shield.errors import Conflict, Misconfigured
from shield.labels import ModelType

_ATTEMPTS = 3
"""To make a run that is newer than another of the same second."""


class PipelineServer:
    """The recurring runs of one release on one KFP API server."""

    def __init__(
        self,
        api: KfpApi,
        *,
        namespace: str | None = None,
        release: str = RELEASE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Look after the runs of `release`; refuse to have them outside `namespace`, if given."""
        self._api, self._namespace, self._release = api, namespace, release
        self._now, self._sleep = now, sleep

    def deploy(
        self,
        package: Path,
        schedules: Sequence[Schedule],
        watch: Path | None = None,
        *,
        only: Collection[ModelType] = (),
        versions: dict[str, Version] | None = None,
    ) -> list[Outcome]:
        """Bring the server to `schedules`, and delete recurring runs of ours that are not in it.

        Args:
            package: The compiled pipeline. Its content names the version: unchanged, it is reused.
            schedules: At most one per pipeline and model type.
            watch: The compiled drift watch; needed where a schedule runs it.
            only: Model types to touch; none: all. Runs of others stay as they are.
            versions: Versions that are on the server by another way, by pipeline.

        Returns:
            One outcome per recurring run, the wanted ones first.

        Raises:
            Invalid: A cron that cannot be, or a pipeline that the server refuses.
            Misconfigured: The server runs them in another namespace. None of ours has changed.
            Conflict: Another deployment wants something else at the same moment.
            Unavailable: The server does not answer.
        """
        crons = [
            Cron.parse(schedule.cron) for schedule in schedules
        ]  # all, before anything is done
        experiment = self._api.experiment()
        experiment_id, note = str(experiment.experiment_id), archived(experiment)
        if versions is None:
            versions = {PIPELINE: self._api.version(package)}
            if watch is not None:
                versions[WATCH] = self._api.version(watch, WATCH)
        present = self._present(experiment_id)
        last = self._api.last_runs(experiment_id)
        outcomes = []
        for schedule, cron in zip(schedules, crons, strict=True):
            version = versions[schedule.pipeline]
            desired = recurring_run(schedule, cron, experiment_id, version)
            kept, action = self._converge(desired, present.pop(schedule.name, []))
            outcome = self._told(kept, last.get(kept.recurring_run_id), action, note)
            outcomes.append(replace(outcome, version=version[2]))
        touched = run_names(self._release, tuple(only)) if only else set(present)
        for name in [name for name in present if name in touched]:
            outcomes += [self._delete(run) for run in present[name]]
        return outcomes

    def status(
        self,
        desired: Sequence[Schedule] | None = None,
        packages: Mapping[str, Path] = MappingProxyType({}),
    ) -> list[Outcome]:
        """Return our recurring runs as they are, and what differs from `wanted`, if given.

        Args:
            desired: What the configuration says; None: nothing is compared.
            packages: The compiled pipelines that it runs, by name.
        """
        experiment = self._api.find_experiment()
        if experiment is None:
            return [_missing(schedule.name) for schedule in desired or ()]
        experiment_id, note = str(experiment.experiment_id), archived(experiment)
        last = self._api.last_runs(experiment_id)
        by_name = {schedule.name: schedule for schedule in desired or ()}
        versions = {name: self._api.find_version(path, name) for name, path in packages.items()}
        outcomes = []
        for name, runs in self._present(experiment_id).items():
            schedule = by_name.pop(name, None)
            for run in runs:
                unlike: tuple[str, ...] = ()
                if schedule is not None:
                    cron = Cron.parse(schedule.cron)
                    version = ("", versions.get(schedule.pipeline) or "", "")
                    unlike = differences(run, recurring_run(schedule, cron, experiment_id, version))
                elif desired is not None:
                    unlike = ("not in the configuration",)
                if len(runs) > 1:
                    unlike += (f"{len(runs)} runs of this name",)
                outcome = self._told(run, last.get(run.recurring_run_id), "unchanged", note)
                outcomes.append(replace(outcome, differs=unlike))
        return outcomes + [_missing(name) for name in by_name]

    def delete(self, only: Collection[ModelType] = ()) -> list[Outcome]:
        """Delete our recurring runs, or those of some model types.

        The pipeline, its versions and past runs stay.
        """
        experiment = self._api.find_experiment()
        if experiment is None:
            return []
        present = self._present(str(experiment.experiment_id))
        touched = run_names(self._release, tuple(only)) if only else set(present)
        return [self._delete(run) for name in touched for run in present.get(name, [])]

    def start(self, package: Path, schedule: Schedule, run_id: str) -> str:
        """Start one run now, and return the server's id of it."""
        experiment_id = str(self._api.experiment().experiment_id)
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

    def _converge(self, desired: kfp.V2beta1RecurringRun, present: list[Any]) -> tuple[Any, Action]:
        """Have one run of a name, as wanted; return it and what was done."""
        known = {run.recurring_run_id for run in present}
        if present and not any(is_enabled(run) for run in present):
            desired.mode = kfp.RecurringRunMode.DISABLE
        if present and not differences(newest(present), desired):
            kept: Any = newest(present)
            self._same_namespace(kept)
            self._clear(present, kept)
            return kept, "unchanged"
        for _ in range(_ATTEMPTS):
            made = self._api.create_recurring_run(desired)
            try:
                self._same_namespace(made)
            except Misconfigured:
                self._api.delete_recurring_run(made)
                raise
            there = self._present(desired.experiment_id).get(desired.display_name, [])
            kept = newest([*there, made])
            if not differences(kept, desired):  # ours, or that of a deployment like this one
                self._clear([*there, made], kept)
                return kept, "replaced" if present else "created"
            self._api.delete_recurring_run(made)
            if kept.recurring_run_id not in known:
                break
            self._sleep(1)  # an old run was made within this second
        raise Conflict(
            f"Another deployment changes {desired.display_name} at this moment, to something else. "
            "What it wants stays. Deploy again when it is done."
        )

    def _clear(self, runs: list[Any], kept: Any) -> None:
        others = {run.recurring_run_id: run for run in runs}
        others.pop(kept.recurring_run_id)
        for run in others.values():
            self._delete(run)

    def _same_namespace(self, run: Any) -> None:
        if not self._namespace or run.namespace in (None, "", self._namespace):
            return
        raise Misconfigured(
            f"Kubeflow Pipelines runs {run.display_name} in the namespace {run.namespace}, not in "
            f"{self._namespace}: it serves a single user and ignores namespaces. The release's "
            "ServiceAccount and Secrets are not there, so every step would fail. Install the "
            f"release in {run.namespace} (`helm install -n {run.namespace}`), or use a multi-user "
            "Kubeflow."
        )

    def _present(self, experiment_id: str) -> dict[str, list[Any]]:
        present: dict[str, list[Any]] = {}
        for run in self._api.recurring_runs(experiment_id):
            if is_of(self._release, run):
                present.setdefault(run.display_name, []).append(run)
        return present

    def _delete(self, found: Any) -> Outcome:
        self._api.delete_recurring_run(found)
        return Outcome(found.display_name, "deleted", found.recurring_run_id)

    def _told(self, run: Any, last: Any, action: Action, note: str | None) -> Outcome:
        zone, following = timing(run, last, self._now())
        notes = [note] if note else []
        if zone not in (None, "UTC"):
            notes.append(
                f"Kubeflow Pipelines reads the cron in {zone}, not in UTC: unset its "
                "cronScheduleTimezone, or shift the schedule."
            )
        return Outcome(
            run.display_name,
            action,
            run.recurring_run_id,
            cron_of(run),
            version_of(run),
            is_enabled(run),
            run.namespace or None,
            zone,
            following if is_enabled(run) else None,
            f"{last.state} {last.created_at:%Y-%m-%d %H:%M}Z" if last is not None else None,
            note=" ".join(notes) or None,
        )


def _missing(name: str) -> Outcome:
    return Outcome(name, "missing", "", enabled=False, differs=("missing",))
