"""Mirror a version to Kubeflow's model registry: figures, lineage, and where its package lies.

Spoken is the registry's REST API (`/api/model_registry/v1`, and `v1alpha3` of releases before 0.3),
so that no image needs its client.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from components.shared.environment import ModelRegistrySettings
from shield.artifacts.settings import ArtifactSettings
from shield.environment import read_secret
from shield.packages import ModelPackage
from shield.wire import VersionRead, VersionStatus

_APIS = ("/api/model_registry/v1", "/api/model_registry/v1alpha3")
"""Newest first. The parts that are used here are the same in both."""

Document = dict[str, Any]


class ModelRegistry:
    """A model registry of Kubeflow.

    Args:
        settings: With its URL.
    """

    def __init__(self, settings: ModelRegistrySettings) -> None:
        assert settings.url is not None
        token = settings.token
        if token is None and settings.token_file is not None:
            token = read_secret(settings.token_file, "SHIELD_MODEL_REGISTRY_TOKEN_FILE")
        self._names_begin = settings.name
        self._http = httpx.Client(
            base_url=settings.url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=settings.timeout_seconds,
        )

    def __enter__(self) -> "ModelRegistry":
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connection."""
        self._http.close()

    def add(self, version: VersionRead, package: Path) -> str:
        """Add a version with its artifact, as far as they are not there; return the registry's id.

        Raises:
            httpx.HTTPError: The registry does not answer, or refuses.
        """
        api = self._api()
        name = f"{self._names_begin}-{version.model_type.value}"
        model = self._found(f"{api}/registered_model", name=name) or self._made(
            f"{api}/registered_models",
            {
                "name": name,
                "description": f"Scam filter for {version.model_type.value}, by Anti-Spam Shield.",
            },
        )
        existing = self._found(
            f"{api}/model_version", name=version.name, parentResourceId=model["id"]
        ) or self._made(
            f"{api}/model_versions",
            {
                "name": version.name,
                "registeredModelId": model["id"],
                "description": version.refusal or "Passed every gate.",
                "state": "ARCHIVED" if version.status is VersionStatus.REFUSED else "LIVE",
                "customProperties": _properties(version),
            },
        )
        artifacts = f"{api}/model_versions/{existing['id']}/artifacts"
        if not self._read(artifacts).get("items"):
            self._made(artifacts, _artifact(name, version, ModelPackage.open(package)))
        return str(existing["id"])

    def _api(self) -> str:
        """Return the newest API that the registry speaks."""
        for api in _APIS:
            answer = self._http.get(f"{api}/registered_models", params={"pageSize": 1})
            if answer.status_code != httpx.codes.NOT_FOUND:
                answer.raise_for_status()
                return api
        raise LookupError(
            f"{self._http.base_url} is no model registry: it knows neither {' nor '.join(_APIS)}. "
            "Set SHIELD_MODEL_REGISTRY_URL to the registry's base URL, without a path."
        )

    def _found(self, path: str, **query: str) -> Document | None:
        answer = self._http.get(path, params=query)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return _document(answer)

    def _read(self, path: str) -> Document:
        return _document(self._http.get(path))

    def _made(self, path: str, body: Mapping[str, Any]) -> Document:
        return _document(self._http.post(path, json=body))


def _document(answer: httpx.Response) -> Document:
    answer.raise_for_status()
    document: Document = answer.json()
    return document


def _properties(version: VersionRead) -> Document:
    """Return figures and lineage; what may change later, as who serves, is not among them."""
    words = {
        "digest": version.digest,
        "parent": version.parent,
        "batches": ", ".join(version.batches),
        "run": version.run_id,
        "gate": "refused" if version.status is VersionStatus.REFUSED else "passed",
        "report": version.report_uri,
    }
    told = {
        name: {"metadataType": "MetadataStringValue", "string_value": value}
        for name, value in words.items()
        if value
    }
    figures = {
        name: {"metadataType": "MetadataDoubleValue", "double_value": float(value)}
        for name, value in version.metrics.items()
        if isinstance(value, int | float)
    }
    return {**figures, **told}


def _artifact(name: str, version: VersionRead, package: ModelPackage) -> Document:
    """Return where the package lies. Kubeflow's client looks for it by the model's name."""
    root = ArtifactSettings().root.rstrip("/")
    return {
        "artifactType": "model-artifact",
        "name": name,
        "uri": f"{root}/{version.uri}",
        "modelFormatName": "antispam-shield-package",
        "modelFormatVersion": str(package.manifest.format_version),
    }
