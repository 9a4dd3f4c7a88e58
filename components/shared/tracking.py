"""Mirror a version to MLflow: its run with figures, recipe, report and package.

Spoken is MLflow's REST API, so that no image needs its packages.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from components.shared.environment import TrackingSettings
from shield.packages import ModelPackage
from shield.wire import VersionRead

log = logging.getLogger(__name__)

VERSION_TAG = "shield.version"
_API = "/api/2.0/mlflow"
_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
_LONGEST = 5000
"""Characters of a tag or parameter that every release of MLflow takes."""
_MOST = 100
"""Parameters of one request."""


class TrackingServer:
    """An MLflow tracking server.

    Args:
        settings: With its URL.
    """

    def __init__(self, settings: TrackingSettings) -> None:
        assert settings.tracking_uri is not None
        headers, auth = {}, None
        if settings.tracking_token:
            headers["Authorization"] = f"Bearer {settings.tracking_token}"
        elif settings.tracking_username:
            auth = (settings.tracking_username, settings.tracking_password or "")
        self._experiment_name = settings.experiment_name
        self._http = httpx.Client(
            base_url=settings.tracking_uri.rstrip("/"),
            headers=headers,
            auth=auth,
            timeout=settings.tracking_timeout_seconds,
        )

    def __enter__(self) -> "TrackingServer":
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connection."""
        self._http.close()

    def add(self, version: VersionRead, package: Path, report: Path) -> str:
        """Add a version's run, unless it is there; return MLflow's id of it.

        Raises:
            httpx.HTTPError: The server does not answer, or refuses.
        """
        experiment = self._experiment()
        known = self._call(
            "POST",
            "/runs/search",
            {
                "experiment_ids": [experiment],
                "filter": f"tags.`{VERSION_TAG}` = '{version.name}'",
                "max_results": 1,
            },
        ).get("runs")
        if known:
            return str(known[0]["info"]["run_id"])
        opened = ModelPackage.open(package)
        started = int((version.trained_at or version.created_at).timestamp() * 1000)
        ended = int(version.created_at.timestamp() * 1000)
        info = self._call(
            "POST",
            "/runs/create",
            {"experiment_id": experiment, "run_name": version.name, "start_time": started},
        )["run"]["info"]
        run = str(info["run_id"])
        self._figures(run, version, opened.manifest.recipe, ended)
        self._artifacts(str(info["artifact_uri"]), opened, report)
        # Last: a run that was cut off bears no version, and is made anew.
        self._tag(run, VERSION_TAG, version.name)
        update = {"run_id": run, "status": "FINISHED", "end_time": ended}
        self._call("POST", "/runs/update", update)
        return run

    def _experiment(self) -> str:
        path = f"{_API}/experiments/get-by-name"
        answer = self._http.get(path, params={"experiment_name": self._experiment_name})
        if answer.status_code == httpx.codes.NOT_FOUND:
            made = self._call("POST", "/experiments/create", {"name": self._experiment_name})
            return str(made["experiment_id"])
        answer.raise_for_status()
        return str(answer.json()["experiment"]["experiment_id"])

    def _figures(self, run: str, version: VersionRead, recipe: Mapping[str, Any], at: int) -> None:
        figures = {
            name: float(value)
            for name, value in version.metrics.items()
            if isinstance(value, int | float)
        }
        metrics = [
            {"key": name, "value": value, "timestamp": at, "step": 0}
            for name, value in figures.items()
        ]
        self._call("POST", "/runs/log-batch", {"run_id": run, "metrics": metrics})
        params = [{"key": key, "value": value[:_LONGEST]} for key, value in _flat(recipe)]
        for begin in range(0, len(params), _MOST):
            part = params[begin : begin + _MOST]
            self._call("POST", "/runs/log-batch", {"run_id": run, "params": part})
        for name, value in {
            "model_type": str(version.model_type),
            "status": version.status.value,
            "digest": version.digest,
            "package": version.uri,
            "parent": version.parent or "",
            "batches": ", ".join(version.batches),
            "run": version.run_id or "",
            "refusal": version.refusal or "",
        }.items():
            self._tag(run, f"shield.{name}", value)

    def _artifacts(self, uri: str, package: ModelPackage, report: Path) -> None:
        place = urlsplit(uri)
        if place.scheme != "mlflow-artifacts":
            # The server hands out no artifacts: whoever reads them there has the store's own keys.
            log.warning(json.dumps({"event": "artifacts-not-mirrored", "store": uri}))
            return
        files = {"report.html": report}
        files |= {f"package/{path.name}": path for path in sorted(package.path.iterdir())}
        for name, path in files.items():
            with path.open("rb") as file:
                target = f"{_ARTIFACTS}/{quote(place.path.strip('/'))}/{quote(name)}"
                self._http.put(target, content=file).raise_for_status()

    def _tag(self, run: str, key: str, value: str) -> None:
        if value:
            tag = {"run_id": run, "key": key, "value": value[:_LONGEST]}
            self._call("POST", "/runs/set-tag", tag)

    def _call(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._http.request(method, f"{_API}{path}", json=body)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


def _flat(recipe: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Yield parameters by dotted names."""
    for name, value in recipe.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{within}{name}.")
        else:
            yield f"{within}{name}", str(value)
