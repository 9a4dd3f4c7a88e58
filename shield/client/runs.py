"""Record training runs."""

from shield.client.connection import Connection, at
from shield.labels import ModelType
from shield.wire import RunRead, RunRequest, RunUpdate


class RunCalls(Connection):
    """Record training runs."""

    def start_run(
        self, run_id: str, model_type: ModelType, *, engine: str = "local", trigger: str = "manual"
    ) -> RunRead:
        """Record the start of a run; the same id restarts it."""
        body = RunRequest(run_id=run_id, model_type=model_type, engine=engine, trigger=trigger)
        return self._data(RunRead, self._call("POST", "/runs", body=body))

    def finish_run(self, run_id: str, update: RunUpdate) -> RunRead:
        """Record the outcome of a run."""
        return self._data(RunRead, self._call("PATCH", at("/runs/{}", run_id), body=update))

    def runs(self, *, model_type: ModelType | None = None) -> list[RunRead]:
        """List all runs, newest first."""
        return self._all(RunRead, "/runs", {"modelType": model_type})

    def run(self, run_id: str) -> RunRead:
        """Return one run. Raises `NotFound`."""
        return self._data(RunRead, self._call("GET", at("/runs/{}", run_id)))
