"""Keep in the API how a run on this machine goes, so that the page *Runs* shows it as it goes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from pipelines.local import StepProgress
from shield.client import ShieldClient
from shield.errors import Invalid, ShieldError, Unavailable
from shield.labels import ModelType
from shield.wire import RunOutcome, RunUpdate

Tell = Callable[[StepProgress], None]


@dataclass
class Recorded:
    """A run that is kept; what it tells is passed on."""

    client: ShieldClient
    run_id: str
    on_progress: Tell
    version: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def tell(self, progress: StepProgress) -> None:
        """Pass progress on, and keep it. An API that is away for a moment stops no training."""
        self.on_progress(progress)
        if progress.state == "finished" and progress.seconds is not None:
            self.seconds[progress.name] = progress.seconds
        said = progress.detail or f"{progress.name} {progress.state}"
        with suppress(Unavailable):
            self.keep(RunOutcome.RUNNING, f"{progress.name}: {said}" if progress.detail else said)

    def keep(self, outcome: RunOutcome, message: str) -> None:
        """Write down how the run stands."""
        steps = {name: {"seconds": seconds} for name, seconds in self.seconds.items()}
        update = RunUpdate(
            outcome=outcome, message=message[:2000], version=self.version, steps=steps
        )
        self.client.finish_run(self.run_id, update)


@contextmanager
def recorded(
    client: ShieldClient, model_type: ModelType, run_id: str, on_progress: Tell
) -> Iterator[Recorded]:
    """Yield a run that is recorded from beginning to end, well or badly."""
    client.start_run(run_id, model_type, trigger="first model")
    run = Recorded(client, run_id, on_progress)
    try:
        yield run
    except ShieldError as error:
        refused = isinstance(error, Invalid)
        with suppress(ShieldError):
            run.keep(RunOutcome.REFUSED if refused else RunOutcome.FAILED, error.message)
        raise
    except BaseException as error:  # a fault of ours, a full disk, Ctrl-C: it runs no longer
        with suppress(ShieldError):
            run.keep(RunOutcome.FAILED, f"It ended with {type(error).__name__}.")
        raise
    run.keep(RunOutcome.SUCCEEDED, f"{run.version} passed the gates.")
