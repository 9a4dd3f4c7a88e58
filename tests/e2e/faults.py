"""Pods end and nodes are drained while phones scan: what fails is counted, and nothing is lost."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.rollout.load import Load
from shield.errors import ShieldError
from shield.labels import ScanType
from tests.e2e.gateway import HOST
from tests.e2e.shell import say, wait_for
from tests.e2e.story import RELEASE, SMS, Story

_COMPONENT = "app.kubernetes.io/component"
_OURS = ("api", "model-server", "operator")
_MARK = "E2E_UPGRADED"


class Faults:
    """The stations of a story in which parts of the release go away."""

    def __init__(self, story: Story) -> None:
        self._story, self._cluster = story, story.cluster

    def pods_end_under_load(self) -> None:
        """End each pod of ours: no scan may fail meanwhile."""
        with self._phones() as load:
            pods = [pod for pod, component in self._pods() if component in _OURS]
            for pod in pods:
                self._story.kubectl("delete", "pod", pod, "--wait=true")
                self._story.everything_is_up()
        self._none_failed(load)
        say(
            f"{len(pods)} pods of API, model servers and operator ended one after the other; "
            f"{len(load.answers)} scans meanwhile, 0 failed"
        )

    def upgrade(self, release: Sequence[str | Path]) -> None:
        """Upgrade the chart so that every pod of ours is replaced: no scan may fail meanwhile."""
        changed = [f"{part}.env.{_MARK}=yes" for part in ("api", "operator", "serving")]
        options = [word for value in changed for word in ("--set", value)]
        marks = f'jsonpath={{range .items[*]}}{{..env[?(@.name=="{_MARK}")].value}}.{{end}}'

        def replaced() -> bool:
            found = self._story.kubectl("get", "deployments", "-o", marks).split(".")[:-1]
            return len(found) > len(_OURS) - 1 and set(found) == {"yes"}

        with self._phones() as load:
            self._cluster.helm("upgrade", *release, *options)
            wait_for("the new pods of API, operator and model servers", replaced, 120)
            self._story.everything_is_up()
        self._none_failed(load)
        say(f"the chart was upgraded; {len(load.answers)} scans meanwhile, 0 failed")

    def every_pod_ends_within_a_second(self) -> None:
        """End each pod with a second's grace; afterwards everything that was there is there.

        By force the API server would forget a pod that still runs, and another one would open the
        database's files beside it.
        """
        before = self._state()
        failed: Counter[str] = Counter()
        scans: Counter[str] = Counter()
        with self._phones() as load:
            for pod, component in self._pods():
                was = len(load.failed), len(load.answers)
                self._story.kubectl("delete", "pod", pod, "--grace-period=1", "--wait=true")
                self._story.everything_is_up()
                wait_for("a verdict", partial(_more_than, was[1], load), 120)
                failed[component] += len(load.failed) - was[0]
                scans[component] += len(load.answers) - was[1]
        told = ", ".join(f"{part} {failed[part]} of {scans[part] + failed[part]}" for part in scans)
        say(f"each pod ended once within a second; scans that failed meanwhile: {told}")
        # The trial has one database, and nothing is judged without it.
        unexpected = {part for part, count in failed.items() if count} - {"postgresql"}
        assert not unexpected, f"scans failed without {', '.join(sorted(unexpected))}"
        self._same(before, "every pod ended once")

    def drain(self) -> None:
        """Drain a node by evictions, as its upgrade would: no scan may fail meanwhile."""
        before, node = self._state(), self._cluster.drained.name
        with self._phones() as load:
            options = ["--ignore-daemonsets", "--delete-emptydir-data", "--timeout=300s"]
            there = f"--field-selector=spec.nodeName={node}"
            moved = self._story.kubectl("get", "pods", "-o", "name", there)
            self._cluster.kubectl("drain", node, "--force", *options)
            self._story.everything_is_up()
        self._none_failed(load)
        self._cluster.kubectl("uncordon", node)
        say(f"{node} was drained of {len(moved.split())} pods; {len(load.answers)} scans, 0 failed")
        self._same(before, "a node was drained")

    @contextmanager
    def _phones(self) -> Iterator[Load]:
        """Let phones scan without pause, and be answered before and after."""
        load = Load(self._story, threads=2, headers={"Host": HOST}).start()
        try:
            wait_for("the first answer", lambda: load.answers, 60)
            yield load
            time.sleep(2)
        finally:
            load.stop()

    def _none_failed(self, load: Load) -> None:
        assert not load.failed, f"{len(load.failed)} scans failed, e.g. {load.failed[:3]}"

    def _pods(self) -> list[tuple[str, str]]:
        """Return the running pods of the release with their components."""
        running = "--field-selector=status.phase=Running"
        found = json.loads(self._story.kubectl("get", "pods", running, "-o", "json"))["items"]
        return [
            (pod["metadata"]["name"], pod["metadata"]["labels"].get(_COMPONENT, "none"))
            for pod in found
            if pod["metadata"]["labels"].get("app.kubernetes.io/instance") == RELEASE
            and "deletionTimestamp" not in pod["metadata"]
        ]

    def _state(self) -> dict[str, Any]:
        with self._story.desk("admin") as desk:
            status = desk.rollout(SMS).status
            return {
                "versions": [found.name for found in desk.versions(SMS)],
                "ledger": len(desk.ledger(SMS)),
                "feedback": desk.stats().by_status,
                "batches": sorted(found.id for found in desk.batches(model_type=SMS)),
                "stable": status.stable and status.stable.name,
                "rejected": [found.name for found in status.rejected],
            }

    def _same(self, before: dict[str, Any], what: str) -> None:
        after = wait_for("the API", lambda: self._attempt(self._state), 120)
        assert after == before, f"{before} became {after}"
        wait_for("a verdict", lambda: self._attempt(self._verdict), 120)
        say(f"{what}: nothing is lost ({before})")

    def _attempt(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ShieldError as error:
            raise RuntimeError(str(error)) from error

    def _verdict(self) -> bool:
        with self._story.phone("phone-0") as phone:
            return bool(phone.scan(ScanType.TEXT, "Are you home yet?").verdict)


def _more_than(answers: int, load: Load) -> bool:
    return len(load.answers) > answers
