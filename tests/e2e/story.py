"""What people and the platform do, on a cluster that runs: the stations of `make e2e`."""

import base64
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from api.kit.tokens import mint
from shield.client import ShieldClient
from shield.crds.v1alpha1 import Analysis, ModelRollout, Phase, Step
from shield.errors import ShieldError
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import ReviewAction, RolloutPolicy
from tests.e2e.cluster import Cluster
from tests.e2e.gateway import ByHost
from tests.e2e.messages import scams
from tests.e2e.shell import run, say, stream, wait_for
from tests.support.desk import form_token

RELEASE = NS = "antispam-shield"
SMS = ModelType.SMS
CORRECTIONS = 24


class Story:
    """One correction's way, told station by station."""

    def __init__(
        self, cluster: Cluster, phone_url: str, desk_url: str, host: Path | None = None
    ) -> None:
        self.cluster = cluster
        self._host = host
        """Where the pipeline runs, if not in a pod."""
        self.url, self._desk_url = phone_url, desk_url
        self._secret = self._content(f"{RELEASE}-keys")["jwt-secret"]
        self.scans = self.failed = 0

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        """Call kubectl in the release's namespace."""
        return self.cluster.kubectl("-n", NS, *arguments, check=check)

    def show(self, *arguments: str) -> None:
        """Print what kubectl says."""
        for line in self.kubectl(*arguments).rstrip().splitlines():
            say(f"  {line}")

    def phone(self, name: str) -> ShieldClient:
        """Return a phone behind the gateway."""
        return ShieldClient(self.url, self._token(name, "user"), transport=ByHost())

    def desk(self, *roles: str) -> ShieldClient:
        """Return a reviewer or an administrator, who come by the staff's route."""
        return ShieldClient(self._desk_url, self._token("desk", *roles))

    def first_model_serves(self) -> None:
        """Wait for the Job that trains the first model, and for its rollout."""
        if self._host is None:
            say("a Job trains the first model in a pod")
            self._until_job("first-sms", 1500)
        else:
            say("the host trains the first model")
            options: list[str | Path] = ["--quick", "--hold-back", "0", "--data-dir", self._host]
            cache = self.cluster.state.parent / "cache"
            self._pipeline("pipelines.base", *options, "--cache-dir", cache)
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
        """Do commands 8 to 10 of docs/operations.md, and sign in with the same token."""
        sign = ["python", "-m", "api.token", "--role", "user", "--role", "reviewer"]
        text = "Your parcel waits, pay 1.99 at http://parcel-fee.example"
        with self.cluster.forwarding(NS, f"deploy/{RELEASE}-api", 8000):
            token = self.kubectl("exec", f"deploy/{RELEASE}-api", "--", *sign).strip()
            shieldctl: list[str | Path] = [Path(sys.executable).parent / "shieldctl", "--json"]
            shieldctl += ["--api-url", "http://127.0.0.1:8000", "--token", token]
            command = self.cluster.inside(*shieldctl, "scan", text)
            said = wait_for("the forwarded port", lambda: run(*command), 30)
        scan = json.loads(str(said))
        say(f"a first look by shieldctl: {scan['verdict']} by {scan['modelVersion']}")
        with httpx.Client(base_url=self._desk_url, follow_redirects=True) as browser:
            asked = browser.get("/review")
            assert asked.url.path == "/login"
            form = {"token": token, "csrf": form_token(asked), "next": "/review"}
            desk = browser.post("/login", data=form)
        assert (desk.status_code, desk.url.path) == (200, "/review"), desk.text[:500]
        say("a reviewer is signed in at the review pages with the same token")

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

    def learn_release_and_undo(self) -> None:
        """Train on the corrections, let the version be promoted, and take it back."""
        version = self.learn()
        self.promoted(version)
        self.undo(version)

    def learn(self) -> str:
        """Start the weekly CronJob now, and return the new version's name."""
        before = self._versions()
        name, run_id = f"{RELEASE}-learn-sms", f"weekly-{len(before)}"
        if self._host is None:
            self.kubectl("create", "job", f"--from=cronjob/{name}", run_id)
            say("the CronJob's pod collects, trains, evaluates, registers")
            self._until_job(run_id, 1500)
            for line in self.kubectl("logs", f"job/{run_id}", "--tail=12").splitlines():
                say(f"  {line[:160]}")
        else:
            say("the host collects, trains, evaluates, registers")
            cronjob = json.loads(self.kubectl("get", "cronjob", name, "-o", "json"))
            pod = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            (told,) = [part["args"] for part in pod["initContainers"] if part["name"] == "run"]
            options: list[str | Path] = ["--run-id", run_id, "--runs-dir", self._host / "runs"]
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
        left = ("get", "deployments", "-l", f"antispamshield.io/rollout={SMS}", "-o", "name")
        wait_for("the end of its servers", lambda: len(self.kubectl(*left).split()) == 1, 120)
        self.show("get", "modelrollouts")

    def everything_is_up(self) -> None:
        """Wait for all Deployments and StatefulSets."""
        for kind in ("statefulsets", "deployments"):
            for name in self.kubectl("get", kind, "-o", "name").split():
                self.kubectl("rollout", "status", name, "--timeout=300s")

    def token(self, subject: str, *roles: str) -> str:
        """Return a token; without roles a plain user's."""
        return self._token(subject, *(roles or ("user",)))

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
