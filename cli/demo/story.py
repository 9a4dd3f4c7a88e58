"""The story of the loop, told once with a real system: six chapters, no figure typed in.

Messages that taught are never the messages that judge: users report `teach` and a part of the
ordinary traffic; recall is measured on `judge`, harm on the golden set, and the candidate meets
users with messages that nobody has reported before.
"""

import json
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import retraining, services
from cli.demo.corpus import Corpus
from cli.demo.figures import Figures
from cli.demo.measure import score
from cli.demo.people import CountingTransport, ReviewRoom, Town, meet
from cli.demo.stage import Stage, stage
from cli.demo.traffic import Traffic, loyalty
from cli.home import default_home
from cli.session import Session, mint
from shield.client import ShieldClient
from shield.crds.v1alpha1 import ModelRollout, Step
from shield.errors import ShieldError
from shield.labels import ModelType
from shield.wire import RolloutRequest

USERS = 200
LIARS = 24
_CALM, _BUSY, _RUSH = 6.0, 40.0, 120.0
"""Scans per second in the background: while training, while both arms serve, while undoing."""
_STEPS = [
    Step(weight=25, duration_seconds=3, minimum_exposures=60),
    Step(weight=50, duration_seconds=3, minimum_exposures=120),
]
_GUARD_SECONDS = 3600.0
_HELD_BACK = 0.4
"""Share of the scams, in whole tactics, that the first model never sees."""
_LIMITS_OF_A_SMOKE_TEST = json.dumps(
    {"accuracyDrop": 0.05, "accuracyHarm": 0.1, "fprRise": 0.05, "fprHarm": 0.1}
)
"""Two hundred golden messages cannot rule out a rise of one point, whatever the model."""


def tell(session: Session, *, seed: int, report: Path | None, quick: bool) -> None:
    """Tell the story and answer with its figures.

    Raises:
        ShieldError: A part failed, or the new version did not prove itself; the message says which.
    """
    # A story of its own never touches what the user has learned elsewhere.
    usual = default_home()
    root = (session.data_dir or usual.with_name(usual.name + "-demo")).expanduser()
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)  # before minutes of work, not after
    began = time.monotonic()
    session.terminal.say(
        f"[figure]antispam-shield[/]: one correction becomes a better model. "
        f"[quiet]seed {seed}, data in {root}[/]"
    )
    with stage(root, session.terminal) as scene:
        figures = _Story(scene, seed, quick).told()
    figures.seconds["all"] = time.monotonic() - began
    if report is not None:
        figures.write(report)
    session.terminal.answer(figures.document(), "", figures.table(), "", figures.facts())
    session.terminal.say(f"\nLook around in it: shieldctl up --data-dir {root}")
    if figures.failed_requests:
        raise ShieldError(
            f"{figures.failed_requests} of {figures.requests} requests failed, and none should. "
            f"Look into {root / 'logs'}."
        )


@dataclass
class _Story:
    """One telling."""

    scene: Stage
    seed: int
    quick: bool

    def told(self) -> Figures:
        """Tell all chapters and return what was measured."""
        scene = self.scene
        figures = Figures(seed=self.seed, data_directory=scene.home.root)
        narrator = ShieldClient(
            scene.url,
            mint(
                scene.home,
                "narrator",
                ["admin", "reviewer", "service"],
                lifetime_seconds=7200,
            ),
        )
        chance = random.Random(self.seed)
        corpus = self._first_model(figures, narrator)
        transport = CountingTransport()
        town = Town(scene.home, scene.url, transport)
        town.settle(chance, users=USERS, liars=LIARS)
        ordinary = list(corpus.traffic)
        chance.shuffle(ordinary)
        reported, unreported = ordinary[: len(ordinary) // 3], ordinary[len(ordinary) // 3 :]
        everything = [*corpus.teach, *corpus.judge, *corpus.golden, *corpus.traffic]
        room = ReviewRoom(town, {message.text: message.scam for message in everything})
        with Traffic(town.users, unreported, self.seed, _CALM) as traffic:
            self._corrections(figures, town, corpus, reported, room, chance)
            run = self._retraining(figures)
            traffic.bring([*unreported, *corpus.judge])
            self._release(figures, narrator, town, corpus, room, traffic, str(run["version"]))
            self._undo(figures, narrator, traffic)
            figures.answers = _answers(traffic)
        transport.hang_up()
        figures.requests, figures.failed_requests = transport.requests, len(transport.failures)
        for failure in transport.failures[:5]:
            scene.terminal.warn(failure)
        return figures

    def _first_model(self, figures: Figures, narrator: ShieldClient) -> Corpus:
        scene = self.scene
        scene.chapter(1, "A first model learns from real messages; one tactic is held back")
        surroundings = services.environment(scene.home, scene.url, {})
        options = ["--hold-back", str(_HELD_BACK), *(["--quick"] if self.quick else [])]
        started = time.monotonic()
        job = retraining.base(
            scene.home, ModelType.SMS, self.seed, surroundings, scene.step, *options
        )
        made: dict[str, Any] = scene.run(job)
        figures.seconds["base_model"] = time.monotonic() - started
        corpus = Corpus.read(Path(str(made["story"])))
        figures.tactics = corpus.tactics
        if made.get("cached"):
            scene.tell("Trained before, so taken from the cache.")
        for tactic in corpus.tactics:
            scene.tell(f"held back: {tactic}")
        version = str(made["version"])
        scene.wait_for(f"{version} serving", lambda: _serving(narrator, version), 120)
        figures.versions["before"] = version
        scene.tell(f"[name]{version}[/] is packaged, signed, registered, and serves.")
        return corpus

    def _corrections(
        self,
        figures: Figures,
        town: Town,
        corpus: Corpus,
        reported: list[Any],
        room: ReviewRoom,
        chance: random.Random,
    ) -> None:
        scene = self.scene
        scene.chapter(2, "The phones meet a tactic that the model has never seen")
        tester = town.person("tester", "user")
        figures.tactic.append(score(tester, corpus.judge))
        figures.golden.append(score(tester, corpus.golden))
        started = time.monotonic()
        flood = [*corpus.teach, *reported]
        chance.shuffle(flood)
        found = meet(town, flood, chance)
        scene.tell(
            f"{found.scans} messages scanned, {found.missed} scams missed. "
            f"{found.honest} honest reports, {found.lies} lies."
        )
        decided = room.clear()
        figures.seconds["feedback"] = time.monotonic() - started
        scene.tell(f"The reviewers approve {decided.approved} and reject {decided.rejected}.")

    def _retraining(self, figures: Figures) -> dict[str, Any]:
        scene = self.scene
        scene.chapter(3, "The weekly pipeline learns from what was approved")
        rollout = RolloutRequest(
            version="x", steps=_STEPS, guard_seconds=_GUARD_SECONDS
        ).model_dump_json(by_alias=True, exclude_none=True, exclude={"version"})
        surroundings = services.environment(scene.home, scene.url, {})
        options = ["--seed", str(self.seed), "--rollout", rollout]
        options += ["--min-feedback", "5" if self.quick else "20"]
        if self.quick:
            options += ["--set", "replay=300", "--set", f"limits={_LIMITS_OF_A_SMOKE_TEST}"]
        run: dict[str, Any] = scene.run(
            retraining.weekly(
                scene.home,
                ModelType.SMS,
                f"demo-{self.seed}",
                surroundings,
                scene.step,
                *options,
            )
        )
        figures.seconds |= {name: float(value) for name, value in run["seconds"].items()}
        if run["outcome"] != "succeeded":
            raise ShieldError(
                f"The pipeline run ended as {run['outcome']}: {run['message']} "
                "The story has no new version to tell of; try another --seed."
            )
        figures.versions["after"] = str(run["version"])
        figures.evaluation_report = Path(str(run["report"])) if run.get("report") else None
        scene.tell(f"[name]{run['version']}[/] passed every gate and is registered.")
        return run

    def _release(
        self,
        figures: Figures,
        narrator: ShieldClient,
        town: Town,
        corpus: Corpus,
        room: ReviewRoom,
        traffic: Traffic,
        version: str,
    ) -> None:
        scene = self.scene
        scene.chapter(4, "Some users meet the new version, and it is judged")
        started = time.monotonic()
        traffic.per_second, traffic.reporting = _BUSY, True
        told: set[tuple[str, float]] = set()

        def promoted() -> bool | None:
            room.clear()
            rollout = narrator.rollout(ModelType.SMS)
            self._watch(rollout, narrator, told)
            if version in [rejected.name for rejected in rollout.status.rejected]:
                raise ShieldError(
                    f"{version} was rejected while users met it: {_last_reason(rollout)} "
                    "The stable version went on answering. Try another --seed."
                )
            return _serving(narrator, version)

        scene.wait_for(f"The promotion of {version}", promoted, 120)
        settled = time.monotonic()
        scene.wait_for(
            f"{version} answering everybody", lambda: _alone(traffic, version, settled), 30
        )
        traffic.per_second, traffic.reporting = _CALM, False
        figures.seconds["rollout"] = time.monotonic() - started
        figures.loyalty = loyalty(traffic.answers(since=started), version)
        kept = figures.loyalty
        scene.tell(
            f"[name]{version}[/] is promoted: {_last_reason(narrator.rollout(ModelType.SMS))}"
        )
        scene.tell(
            f"{kept.users} users watched: {kept.back_and_forth} went back to the former arm."
        )
        tester = town.person("tester", "user")
        figures.tactic.append(score(tester, corpus.judge))
        figures.golden.append(score(tester, corpus.golden))

    def _watch(
        self, rollout: ModelRollout, narrator: ShieldClient, told: set[tuple[str, float]]
    ) -> None:
        """Tell of each step once, with the evidence so far."""
        status = rollout.status
        if status.candidate is None or status.split is None:
            return
        key = (status.candidate.name, status.split.weight)
        if key in told or status.split.weight == 0:
            return
        told.add(key)
        seen = narrator.evidence(ModelType.SMS)
        self.scene.tell(
            f"{status.split.weight:3.0f} % on [name]{status.candidate.name}[/]   "
            f"[quiet]answers so far {seen.candidate.exposures}, confirmed errors "
            f"{seen.candidate.verdict_errors}; on {status.split.stable.name} "
            f"{seen.stable.exposures} and {seen.stable.verdict_errors}[/]"
        )

    def _undo(self, figures: Figures, narrator: ShieldClient, traffic: Traffic) -> None:
        scene = self.scene
        scene.chapter(5, "Somebody finds fault: back to the last known good version")
        bad, good = figures.versions["after"], figures.versions["before"]
        traffic.per_second = _RUSH
        time.sleep(1.0)
        asked = time.monotonic()
        narrator.undo_rollout(ModelType.SMS, "demo: a partner reports false alarms")

        scene.wait_for(f"The return to {good}", lambda: _alone(traffic, good, asked), 60)
        last = max((s.at for s in traffic.answers(since=asked) if s.version == bad), default=asked)
        figures.rollback_ms = (last - asked) * 1000
        scene.tell(f"The last answer of [name]{bad}[/] came {figures.rollback_ms:.0f} ms later.")
        again = _refusal(lambda: narrator.undo_rollout(ModelType.SMS, "demo: once more"))
        time.sleep(1.0)
        serving = narrator.rollout(ModelType.SMS).status.stable
        assert serving is not None
        scene.tell(f"A second undo: {again}")
        scene.tell(f"[name]{serving.name}[/] still answers.")
        request = RolloutRequest(version=bad)
        refused = _refusal(lambda: narrator.request_rollout(ModelType.SMS, request))
        scene.tell(f"Proposing {bad} again: {refused}")
        figures.versions["serving"] = serving.name


def _serving(narrator: ShieldClient, version: str) -> bool | None:
    """Return true once `version` alone serves, `None` before."""
    try:
        status = narrator.rollout(ModelType.SMS).status
    except ShieldError:
        return None
    split = status.split
    alone = status.candidate is None and split is not None
    return (alone and split is not None and split.stable.name == version) or None


def _alone(traffic: Traffic, version: str, since: float) -> bool | None:
    """Return true once fifty users in a row were answered by `version`, `None` before.

    The rollout's status tells what should be; only answers tell what is.
    """
    latest = traffic.answers(since=since)[-50:]
    return (len(latest) == 50 and all(seen.version == version for seen in latest)) or None


def _last_reason(rollout: ModelRollout) -> str:
    return rollout.status.history[-1].reason if rollout.status.history else "no reason was given."


def _refusal(ask: Any) -> str:
    """Ask, and return what was answered in words."""
    try:
        ask()
    except ShieldError as refused:
        return refused.message
    return "taken, and nothing to go back to."


def _answers(traffic: Traffic) -> dict[str, int]:
    counted = Counter(f"{seen.version} ({seen.arm})" for seen in traffic.answers())
    return dict(sorted(counted.items()))
