"""What people and the platform do, on a cluster that runs: the stations of `make e2e`."""

import base64
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.kit.tokens import mint
from bench.rollout.load import Load
from shield.client import ShieldClient
from shield.crds.v1alpha1 import Analysis, ModelRollout, Phase, Step
from shield.errors import ShieldError
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import ReviewAction, RolloutPolicy
from tests.e2e.gateway import HOST, ByHost
from tests.e2e.messages import scams
from tests.e2e.node import Node
from tests.e2e.shell import run, say, stream, wait_for

RELEASE = NS = "antispam-shield"
SMS = ModelType.SMS
CORRECTIONS = 24
_MARK = "E2E_UPGRADED"
_RELEASE = f"app.kubernetes.io/instance={RELEASE}"


class Story:
    """One correction's way, told station by station."""

    def __init__(self, node: Node, phone_url: str, desk_url: str, host: Path | None = None) -> None:
        self.node = node
        self._host = host
        """Where the pipeline runs, if not in a pod."""
        self.url, self._desk_url = phone_url, desk_url
        self._secret = self._content(f"{RELEASE}-keys")["jwt-secret"]
        self.scans = self.failed = 0

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        """Call kubectl in the release's namespace."""
        return self.node.kubectl("-n", NS, *arguments, check=check)

    def show(self, *arguments: str) -> None:
        """Print what kubectl says."""
        for line in self.kubectl(*arguments).rstrip().splitlines():
            say(f"  {line}")

    def phone(self, name: str) -> ShieldClient:
        """Return a phone behind the gateway."""
        return ShieldClient(self.url, self._token(name, "user"), transport=ByHost())

    def desk(self, *roles: str) -> ShieldClient:
        """Return a reviewer or an administrator, who do not come through the phone's route."""
        return ShieldClient(self._desk_url, self._token("desk", *roles))

    def first_model_serves(self) -> None:
        """Wait for the Job that trains the first model, and for its rollout."""
        if self._host is None:
            say("a Job trains the first model in a pod")
            self._until_job("first-sms", 1500)
        else:
            say("the host trains the first model")
            options: list[str | Path] = ["--quick", "--hold-back", "0", "--data-dir", self._host]
            self._pipeline("pipelines.base", *options, "--cache-dir", self._host / "cache")
        wait_for("the first version", lambda: self._phase() is Phase.HEALTHY, 300)
        self.show("get", "modelrollouts,pods")

    def set_policy(self) -> None:
        """Say how versions meet their users, as their owner: a short trial, servers by two."""
        policy = RolloutPolicy(
            steps=[Step(weight=50, duration_seconds=6, minimum_exposures=5)],
            guard_seconds=600,
            replicas=2,
            analysis=Analysis(error_budget=1, max_latency_ratio=100),
            reason="a small cluster of the tests",
        )
        with self.desk("admin") as desk:
            desk.change_rollout(SMS, policy)
        self.everything_is_up()
        say("steps and criteria of the rollout are set")

    def first_look(self) -> None:
        """Sign a token in the API's pod, as the notes say, and judge a message with it."""
        command = ["python", "-m", "api.token", "--role", "user", "--role", "reviewer"]
        token = self.kubectl("exec", f"deploy/{RELEASE}-api", "--", *command).strip()
        with ShieldClient(self._desk_url, token) as client:
            assert set(client.me().roles) == {"user", "reviewer"}
            scan = client.scan(ScanType.TEXT, "Your parcel waits, pay 1.99 at parcel-fee.example")
        say(f"a first look: {scan.verdict} by {scan.model_version}")

    def correct(self) -> None:
        """Phones scan a new kind of fraud, object, and a reviewer approves."""
        sent = 0
        for number, text in enumerate(scams(CORRECTIONS)):
            with self.phone(f"phone-{number}") as phone:
                scan = self._scan(phone, text)
                spam = scan["verdict"] == "spam"
                kind = FeedbackType.CONFIRMED if spam else FeedbackType.FALSE_NEGATIVE
                phone.send_feedback(scan["id"], kind)
                sent += 1
        say(f"{sent} phones reported their scans through the gateway")
        approved = 0
        with self.desk("reviewer") as desk:
            while page := list(desk.pending(model_type=SMS)):
                for item in page:
                    desk.review(item.id, ReviewAction.APPROVE, "fraud")
                    approved += 1
        say(f"a reviewer approved {approved}")
        assert approved >= CORRECTIONS
        self.show("get", "pods,cronjobs")

    def learn(self) -> str:
        """Start the weekly CronJob now, and return the new version's name."""
        before = self._versions()
        name = f"{RELEASE}-learn-sms"
        if self._host is None:
            self.kubectl("create", "job", f"--from=cronjob/{name}", "weekly-1")
            say("the CronJob's pod collects, trains, evaluates, registers")
            self._until_job("weekly-1", 1500)
            for line in self.kubectl("logs", "job/weekly-1", "--tail=12").splitlines():
                say(f"  {line[:160]}")
        else:
            say("the host collects, trains, evaluates, registers")
            cronjob = json.loads(self.kubectl("get", "cronjob", name, "-o", "json"))
            pod = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            told = pod["containers"][0]["args"]
            options: list[str | Path] = ["--run-id", "weekly-1", "--runs-dir", self._host / "runs"]
            self._pipeline("pipelines.run", *options, *told[told.index("--set") :])
        (new,) = self._versions() - before
        say(f"{new} is registered")
        self.show("get", "jobs,modelrollouts")
        return new

    def promoted(self, version: str) -> None:
        """Keep scanning until the candidate is promoted; the same phone stays on its arm."""
        rounds: list[dict[int, str]] = []

        def traffic() -> bool:
            rounds.append(self._arms())
            status = self._rollout().status
            if len(rounds) > 1 and status.candidate is not None:
                moved = {
                    phone
                    for phone, arm in rounds[-2].items()
                    if arm == "candidate" != rounds[-1][phone]
                }
                assert not moved, f"phones {moved} left the candidate while it was on trial"
            return status.stable is not None and status.stable.name == version

        wait_for(f"the promotion of {version}", traffic, 600)
        tried = {phone for arms in rounds for phone, arm in arms.items() if arm == "candidate"}
        assert 0 < len(tried) < len(rounds[0]), "both arms have users"
        self.show("get", "modelrollouts,deployments")
        say(
            f"{version} is promoted; {len(tried)} of {len(rounds[0])} phones tried it, each in "
            f"every round; {self.scans} scans so far, {self.failed} failed"
        )

    def undo(self, version: str) -> None:
        """Take the version back, and see that the good one before it answers."""
        with self.desk("admin") as desk:
            began = time.monotonic()
            desk.undo_rollout(SMS, "end-to-end test")
            wait_for("the undo", lambda: self._answers_other_than(version), 60)
            say(f"the version before answers {1000 * (time.monotonic() - began):.0f} ms after undo")
        rejected = wait_for("the rejection", lambda: self._rollout().status.rejected, 30)
        assert version in {found.name for found in rejected}  # type: ignore[attr-defined]
        self.show("get", "modelrollouts")

    def pods_end_under_load(self, upgrade: Callable[[], object]) -> None:
        """End each pod that there are two of, and upgrade the chart: no scan may fail meanwhile."""
        load = Load(self, threads=2, headers={"Host": HOST}).start()
        served = f"app.kubernetes.io/component in (api,model-server),{_RELEASE}"
        pods = self.kubectl("get", "pods", "-o", "name", "-l", served).split()
        for pod in [*pods, *self._operators()]:
            self.kubectl("delete", pod, "--wait=true")
            self.everything_is_up()
        ended = len(load.answers)
        upgrade()
        wait_for("the new pods of API, operator and model servers", self._replaced, 120)
        self.everything_is_up()
        load.stop()
        assert load.answers
        assert not load.failed, f"{len(load.failed)} scans failed, e.g. {load.failed[:3]}"
        say(
            f"{len(pods)} pods of API and model servers and the operator's ended one after the "
            f"other: {ended} scans meanwhile, and {len(load.answers) - ended} while the chart was "
            "upgraded; 0 failed"
        )

    def other_pods(self) -> list[str]:
        """Return what lets an upgrade replace each pod of ours; those of the data stay."""
        changed = [f"{part}.env.{_MARK}=yes" for part in ("api", "operator", "serving")]
        return [word for value in changed for word in ("--set", value)]

    def every_pod_dies_once(self) -> None:
        """Kill each pod; afterwards everything that was there is there."""
        before = self._state()
        pods = self.kubectl("get", "pods", "-o", "name", "--field-selector=status.phase=Running")
        for pod in pods.split():
            self.kubectl("delete", pod, "--grace-period=1", "--wait=true", "--ignore-not-found")
        self.everything_is_up()
        self._same(before, "every pod was killed once")

    def drain(self) -> None:
        """Drain the node and let the pods come back."""
        before = self._state()
        options = ["--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=180s"]
        # With one node evicted pods cannot start elsewhere, so a budget could never be met again.
        run(*self.node.inside(self.node.binaries / "kubectl", "--kubeconfig", self.node.kubeconfig),
            "drain", "node0", "--disable-eviction", *options)  # fmt: skip
        self.node.kubectl("uncordon", "node0")
        self.everything_is_up()
        self._same(before, "the node was drained")

    def everything_is_up(self) -> None:
        """Wait for all Deployments and StatefulSets."""
        for kind in ("statefulsets", "deployments"):
            for name in self.kubectl("get", kind, "-o", "name").split():
                self.kubectl("rollout", "status", name, "--timeout=300s")

    def token(self, subject: str, *roles: str) -> str:
        """Return a token; without roles a plain user's."""
        return self._token(subject, *(roles or ("user",)))

    def _replaced(self) -> bool:
        """Tell whether the operator, too, has given its Deployments the new template."""
        found = json.loads(self.kubectl("get", "deployments", "-o", "json"))["items"]
        pods = [each["spec"]["template"]["spec"] for each in found]
        marks = [
            _MARK in {entry["name"] for one in pod["containers"] for entry in one.get("env", [])}
            for pod in pods
        ]
        return bool(marks) and all(marks)

    def _operators(self) -> list[str]:
        chosen = f"app.kubernetes.io/component=operator,{_RELEASE}"
        return self.kubectl("get", "pods", "-o", "name", "-l", chosen).split()

    def _state(self) -> dict[str, Any]:
        with self.desk("admin") as desk:
            rollout = self._rollout()
            return {
                "versions": [found.name for found in desk.versions(SMS)],
                "ledger": len(desk.ledger(SMS)),
                "feedback": desk.stats().by_status,
                "batches": sorted(found.id for found in desk.batches(model_type=SMS)),
                "stable": rollout.status.stable and rollout.status.stable.name,
                "rejected": [found.name for found in rollout.status.rejected],
            }

    def _same(self, before: dict[str, Any], what: str) -> None:
        after = wait_for("the API", lambda: self._attempt(self._state), 120)
        assert after == before, f"{before} became {after}"
        wait_for("a verdict", lambda: self._attempt(self._verdict), 120)
        say(f"{what}: nothing is lost ({before})")

    def _attempt(self, call: Any) -> Any:
        try:
            return call()
        except ShieldError as error:
            raise RuntimeError(str(error)) from error

    def _verdict(self) -> bool:
        with self.phone("phone-0") as phone:
            return bool(phone.scan(ScanType.TEXT, "Are you home yet?").verdict)

    def _arms(self) -> dict[int, str]:
        """Let twenty phones scan once each, and return who was answered by which arm."""
        arms = {}
        for number in range(20):
            with self.phone(f"phone-{number}") as phone:
                text = f"See you at {number} tonight? Bring the tickets."
                arms[number] = str(self._scan(phone, text)["arm"])
        return arms

    def _answers_other_than(self, version: str) -> bool:
        with self.phone("phone-0") as phone:
            return bool(self._scan(phone, "Running late, sorry!")["modelVersion"] != version)

    def _scan(self, phone: ShieldClient, text: str) -> dict[str, Any]:
        self.scans += 1
        try:
            found = phone.scan(ScanType.TEXT, text)
        except ShieldError:
            self.failed += 1
            raise
        return found.model_dump(mode="json", by_alias=True)

    def _rollout(self) -> ModelRollout:
        with self.desk("admin") as desk:
            return desk.rollout(SMS)

    def _phase(self) -> Phase:
        try:
            return self._rollout().status.phase
        except ShieldError as error:
            raise RuntimeError(str(error)) from error

    def _versions(self) -> set[str]:
        with self.desk("admin") as desk:
            return {found.name for found in desk.versions(SMS)}

    def _until_job(self, part: str, timeout_seconds: float) -> None:
        def done() -> bool:
            jobs = json.loads(self.kubectl("get", "jobs", "-o", "json"))["items"]
            (job,) = [found for found in jobs if part in found["metadata"]["name"]]
            name, status = job["metadata"]["name"], job.get("status", {})
            if status.get("failed", 0) > job["spec"]["backoffLimit"]:
                raise AssertionError(self.kubectl("logs", f"job/{name}", "--tail=40", check=False))
            return bool(status.get("succeeded"))

        wait_for(f"the Job {part}", done, timeout_seconds)

    def _pipeline(self, module: str, *options: str | Path) -> None:
        """Run a part of the pipeline beside the cluster, with what a pod would be given."""
        assert self._host is not None
        self._host.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "SHIELD_API_URL": self._desk_url, "OMP_NUM_THREADS": "2"}
        environment["SHIELD_API_TOKEN"] = self._token("pipeline", "pipeline")
        keys = self._content(f"{RELEASE}-trial-artifacts")
        environment |= {name: keys[name] for name in keys if name.startswith("AWS_")}
        store = json.loads(self.kubectl("get", "pod", f"{RELEASE}-seaweedfs-0", "-o", "json"))
        environment["SHIELD_ARTIFACTS_ROOT"] = "s3://antispam-shield"
        environment["SHIELD_ARTIFACTS_ENDPOINT_URL"] = f"http://{store['status']['podIP']}:8333"
        for secret in ("signing", "trusted-keys"):
            (self._host / secret).mkdir(exist_ok=True)
            for name, content in self._content(f"{RELEASE}-{secret}").items():
                (self._host / secret / name).write_text(content)
        environment["SHIELD_SIGNING_KEY"] = str(self._host / "signing/signing.pem")
        environment["SHIELD_TRUSTED_KEYS"] = str(self._host / "trusted-keys")
        command: list[str | Path] = [sys.executable, "-m", module, "--model-type", "sms", *options]
        stream(command, environment, self._host / "pipeline.log")

    def _content(self, secret: str) -> dict[str, str]:
        found = json.loads(self.kubectl("get", "secret", secret, "-o", "json"))
        return {name: base64.b64decode(value).decode() for name, value in found["data"].items()}

    def _token(self, subject: str, *roles: str) -> str:
        return mint(self._secret, subject, roles, now=datetime.now(UTC), lifetime_seconds=86400)
