"""First models of one machine: a linear one at once, then a transformer in its place.

The linear versions are trained while the services start, and answer within the first minute. The
transformers take minutes and are trained one after the other, beside everything else. Each comes by
the gates of a first model; what it replaces is a stopgap that met no trial itself, so its promotion
is asked for in the owner's name (docs/adr/0030).
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cli import retraining
from cli.home import Home
from cli.session import mint, who
from shield.client import ShieldClient
from shield.errors import NotFound, ShieldError
from shield.labels import MODEL_TYPES, ModelType
from shield.wire import VersionRead

REASON = (
    "the first transformer takes the place of the linear first version, which met no trial either; "
    "it passed the gates of a first model"
)
TYPES = frozenset(kind.value for kind in ModelType)
_LOOK_SECONDS = 1.0
_PAUSE_SECONDS = 20.0
"""Between two lines about one training."""
_TOKEN_SECONDS = 600.0


class FirstModels:
    """Makes what is missing; call `tick` often."""

    def __init__(
        self, home: Home, url: str, environment: dict[str, str], say: Callable[[str], None]
    ) -> None:
        self._home, self._url, self._environment, self._say = home, url, environment, say
        self._linear: list[retraining.Job] = []
        self._waiting: list[ModelType] = []
        self._training: tuple[ModelType, retraining.Job] | None = None
        self._promoting: dict[ModelType, str] = {}
        self._looked = 0.0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop what is being trained; the next start begins it again."""
        for job in (*self._linear, *([self._training[1]] if self._training else [])):
            job.stop()

    @property
    def busy(self) -> bool:
        """Tell whether something is being trained, so that nothing else should be."""
        return bool(self._linear or self._waiting) or self._training is not None

    def begin(self, kinds: list[ModelType]) -> None:
        """Train linear first versions of these model types; the API need not answer yet."""
        mails = [kind for kind in kinds if MODEL_TYPES[kind].channel == "mail"]
        # Mails are long, and take as long as all others together.
        for group in (mails, [kind for kind in kinds if kind not in mails]):
            if group:
                self._linear.append(
                    retraining.first(self._home, group, self._environment, self._tell_linear)
                )

    def look(self) -> None:
        """Ask the API what is missing, and begin it."""
        with self._client() as client:
            serving = {kind: _serving(client, kind) for kind in ModelType}
        self._waiting = [kind for kind, version in serving.items() if _is_linear(version)]
        missing = [kind for kind, version in serving.items() if version is None]
        if missing:
            self.begin(missing)

    def tick(self) -> None:
        """Take the next step, if one is due."""
        if self._linear:
            for job in [job for job in self._linear if job.poll()]:
                self._end_linear(job)
        elif self._training is not None:
            if self._training[1].poll():
                self._end_training(*self._training)
        elif self._waiting:
            kind = self._waiting.pop(0)
            self._say(f"{_title(kind)}: training the transformer in the background.")
            job = retraining.base(
                self._home, kind, 0, self._environment, self._tell(kind), "--hold-back", "0"
            )
            self._training = kind, job
        if self._promoting and time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            self._promote()

    def _end_linear(self, job: retraining.Job) -> None:
        self._linear.remove(job)
        try:
            job.result()
        except ShieldError as error:
            self._say(error.message)
        if self._linear:
            return
        with self._client() as client:
            self._waiting = [kind for kind in ModelType if _is_linear(_serving(client, kind))]

    def _end_training(self, kind: ModelType, job: retraining.Job) -> None:
        self._training = None
        try:
            made = job.result()
        except ShieldError as error:
            self._say(f"{_title(kind)}: the linear version goes on. {error.message}")
            return
        version, asked = str(made["version"]), made["rollout"]
        if asked == "requested":
            self._promoting[kind] = version
        else:
            why = "another version is on trial" if asked == "busy" else "it has met users before"
            self._say(f"{_title(kind)}: {version} is registered and not released: {why}.")

    def _promote(self) -> None:
        """Ask for the promotion of transformers whose rollout has begun."""
        with self._client() as client:
            for kind, version in list(self._promoting.items()):
                rollout = client.rollout(kind)
                stable, candidate = rollout.status.stable, rollout.status.candidate
                if stable is not None and stable.name == version:
                    self._say(f"{_title(kind)}: {version} serves, with a transformer.")
                    del self._promoting[kind]
                elif any(each.name == version for each in rollout.status.rejected):
                    self._say(f"{_title(kind)}: {version} was rejected; the linear one goes on.")
                    del self._promoting[kind]
                elif candidate is not None and candidate.name == version:
                    asked = rollout.spec.promote == candidate.digest
                    if not asked:
                        client.promote_rollout(kind, REASON)

    def _tell_linear(self, progress: retraining.Progress) -> None:
        if progress.name in TYPES and progress.state != "started":
            seconds = f" ({progress.seconds:.0f} s)" if progress.seconds else ""
            self._say(f"{_title(ModelType(progress.name))}: {progress.detail}{seconds}")

    def _tell(self, kind: ModelType) -> Callable[[retraining.Progress], None]:
        told = time.monotonic()

        def tell(progress: retraining.Progress) -> None:
            nonlocal told
            if progress.state == "running":
                if time.monotonic() - told >= _PAUSE_SECONDS:
                    told = time.monotonic()
                    self._say(f"  {kind} {progress.name}: {progress.detail}")
            elif progress.state != "started":
                self._say(f"  {kind} {progress.name:<16} {progress.seconds or 0:6.1f} s")

        return tell

    def _client(self) -> ShieldClient:
        return ShieldClient(
            self._url, mint(self._home, who(), ["admin"], lifetime_seconds=_TOKEN_SECONDS)
        )


def _serving(client: ShieldClient, kind: ModelType) -> VersionRead | None:
    try:
        client.rollout(kind)
        return client.champion(kind)
    except NotFound:
        return None


def _is_linear(version: VersionRead | None) -> bool:
    return version is not None and version.metrics.get("halves") == ["linear"]


def _title(kind: ModelType) -> str:
    return MODEL_TYPES[kind].title
