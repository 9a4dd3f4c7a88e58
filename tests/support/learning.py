"""A world to learn in: a running API with a first model registered, and people who correct it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from shield.client import ShieldClient
from shield.crds.v1alpha1 import ModelRolloutSpec, Phase, Split, VersionRef
from shield.labels import MODEL_OF_SCAN, FeedbackType, ModelType, is_positive
from shield.packages import generate_key, save_key
from shield.wire import ReviewAction
from tests.support.api import RunningApi, running_api
from tests.support.arms import model_server
from tests.support.waiting import wait_until

SCAN_OF_MODEL = {model: scan for scan, model in MODEL_OF_SCAN.items()}


@dataclass
class World:
    """An API, its keys, and a folder for everything else."""

    api: RunningApi
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a pipeline run finds in its environment."""
        return {
            "SHIELD_API_URL": self.api.url,
            "SHIELD_API_TOKEN": self.api.token("pipeline", "pipeline"),
            "SHIELD_ARTIFACTS_ROOT": str(self.api.artifacts_root),
            "SHIELD_SIGNING_KEY": str(self.folder / "keys/signing.pem"),
            "SHIELD_TRUSTED_KEYS": str(self.folder / "keys/trusted"),
            "SHIELD_PACKAGE_CACHE_DIR": str(self.folder / "packages"),
            "OMP_NUM_THREADS": "2",
        }

    @contextmanager
    def service(self) -> Iterator[ShieldClient]:
        """Open a client with the role of the pipeline."""
        with self.api.client("pipeline", "pipeline") as client:
            yield client

    def make_stable(self, version: VersionRef, model_type: ModelType, url: str) -> None:
        """Write the status that the operator would: `version` serves alone."""
        store = self.api.services.rollouts
        store.change_spec(
            model_type.value,
            lambda spec: (
                spec.model_copy(update={"version": version})
                if spec
                else ModelRolloutSpec(model_type=model_type, version=version)
            ),
        )
        found = store.get(model_type.value)
        status = found.status.model_copy(
            update={
                "observed_generation": found.generation,
                "phase": Phase.HEALTHY,
                "stable": version,
                "good": [*found.status.good, version],
                "split": Split(stable=version, stable_url=url, salt="test"),
            }
        )
        store.write_status(found, status)
        router = self.api.services.router

        def seen() -> bool:
            split = router.split(model_type)
            return split is not None and split.stable == version

        wait_until(seen, "the API never saw the split")

    def correct(
        self,
        messages: Sequence[tuple[str, int]],
        model_type: ModelType = ModelType.SMS,
        users: int = 10,
    ) -> int:
        """Let users scan messages (text, 1 = scam), report the verdict, and a reviewer approve.

        Returns:
            How many corrections were approved.
        """
        with ExitStack() as stack:
            reviewer = stack.enter_context(self.api.client("rita", "reviewer"))
            people = [
                stack.enter_context(self.api.client(f"user-{number}")) for number in range(users)
            ]
            correct(people, reviewer, messages, model_type)
        return len(messages)


def correct(
    users: Sequence[ShieldClient],
    reviewer: ShieldClient,
    messages: Sequence[tuple[str, int]],
    model_type: ModelType,
) -> None:
    """Let users in turn scan messages (text, 1 = scam) and report, and the reviewer approve."""
    for user, (text, label) in zip(cycle(users), messages, strict=False):
        scan = user.scan(SCAN_OF_MODEL[model_type], text)
        claim = FeedbackType.CONFIRMED
        if is_positive(model_type, scan.verdict) != bool(label):
            claim = FeedbackType.FALSE_NEGATIVE if label else FeedbackType.FALSE_POSITIVE
        reported = user.send_feedback(scan.id, claim)
        reviewer.review(reported.id, ReviewAction.APPROVE, "seen")


@contextmanager
def learning_world(
    folder: Path, judge: Callable[[str], float] | None = None, model_type: ModelType = ModelType.SMS
) -> Iterator[tuple[World, str]]:
    """Serve an API, with keys, beside a model server that answers by `judge`.

    Yields:
        The world, and the URL of the model server.
    """
    if not (folder / "keys/signing.pem").exists():
        save_key(generate_key(), folder / "keys/signing.pem", folder / "keys/trusted")
    with (
        model_server(model_type, judge or (lambda _: 0.05)) as url,
        running_api(folder / "api") as api,
    ):
        yield World(api, folder), url
