"""Mirror a version to the tools that a data science team looks at: MLflow, Kubeflow's registry.

A mirror is a courtesy: whatever goes wrong with one is logged, no run fails for it, and nothing is
read back. The registry of versions stays ours.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path

from components.shared.environment import ModelRegistrySettings, TrackingSettings
from components.shared.model_registry import ModelRegistry
from components.shared.tracking import TrackingServer
from shield.wire import VersionRead

log = logging.getLogger(__name__)


def mirrored(version: VersionRead, package: Path, report: Path) -> dict[str, str]:
    """Mirror a version to each server that the environment names.

    Args:
        version: As registered.
        package: Its directory.
        report: HTML from `evaluate`.

    Returns:
        What each server calls it, by `mlflow` and `kubeflow`. One that is not named, or that could
        not be written to, is left out; the log says why.
    """

    def to_mlflow() -> str | None:
        settings = TrackingSettings()
        if settings.tracking_uri is None:
            return None
        with TrackingServer(settings) as server:
            return server.add(version, package, report)

    def to_kubeflow() -> str | None:
        settings = ModelRegistrySettings()
        if settings.url is None:
            return None
        with ModelRegistry(settings) as registry:
            return registry.add(version, package)

    mirrors = {
        "mlflow": _attempt("mlflow", version, to_mlflow),
        "kubeflow": _attempt("kubeflow", version, to_kubeflow),
    }
    return {server: name for server, name in mirrors.items() if name is not None}


def _attempt(server: str, version: VersionRead, mirror: Callable[[], str | None]) -> str | None:
    try:
        return mirror()
    # Whatever a proxy or another release answers: the version is registered, its batch is settled.
    except Exception as fault:  # noqa: BLE001
        told = {"event": "not-mirrored", "to": server, "version": version.name, "why": str(fault)}
        log.warning(json.dumps(told))
        return None
