"""An HTTP server that speaks the published API of Kubeflow's model registry, for tests.

The registry's own server comes as an image alone. This one keeps what it is sent and answers with
it, and refuses whatever the published models (of the PyPI package `model-registry`, generated from
the registry's OpenAPI document) do not know: unknown fields, wrong types, unknown states. A taken
name is a 409, as names are unique.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mr_openapi.models as published
import uvicorn
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.ports import free_ports

Document = dict[str, Any]


class ModelRegistryServer:
    """What is in the registry.

    Args:
        version: Of the API, as it stands in its paths.
        token: When set, requests need it.
    """

    def __init__(self, version: str = "v1", token: str | None = None) -> None:
        self.url = ""
        self.models: list[Document] = []
        self.versions: list[Document] = []
        self.artifacts: dict[str, list[Document]] = {}
        self.fail_artifacts = False
        self._version, self._token = version, token

    def app(self) -> Starlette:
        """Return the server's routes."""
        routes = [
            ("/registered_models", "GET", self._list_models),
            ("/registered_models", "POST", self._create_model),
            ("/registered_model", "GET", self._find_model),
            ("/model_versions", "POST", self._create_version),
            ("/model_version", "GET", self._find_version),
            ("/registered_models/{id}/versions", "GET", self._list_versions),
            ("/model_artifact", "GET", self._find_artifact),
            ("/model_versions/{id}/artifacts", "GET", self._list_artifacts),
            ("/model_versions/{id}/artifacts", "POST", self._create_artifact),
        ]
        base = f"/api/model_registry/{self._version}"
        return Starlette(
            routes=[
                Route(base + path, self._guarded(handler), methods=[method])
                for path, method, handler in routes
            ]
        )

    def _guarded(self, handler: Any) -> Any:
        async def endpoint(request: Request) -> JSONResponse:
            if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
                return _refuse(401, "not authenticated")
            body = await request.json() if request.method == "POST" else {}
            try:
                answer: JSONResponse = handler(request, body)
                return answer
            except (ValueError, ValidationError) as error:
                return _refuse(400, str(error))

        return endpoint

    def _list_models(self, request: Request, body: Document) -> JSONResponse:
        return _page(self.models)

    def _list_versions(self, request: Request, body: Document) -> JSONResponse:
        wanted = request.path_params["id"]
        found = [one for one in self.versions if one["registeredModelId"] == wanted]
        name = request.query_params.get("name")
        return _page([one for one in found if name in (None, one["name"])])

    def _list_artifacts(self, request: Request, body: Document) -> JSONResponse:
        return _page(self.artifacts.get(request.path_params["id"], []))

    def _find_model(self, request: Request, body: Document) -> JSONResponse:
        return _one(self.models, name=request.query_params["name"])

    def _find_version(self, request: Request, body: Document) -> JSONResponse:
        model = request.query_params["parentResourceId"]
        return _one(self.versions, name=request.query_params["name"], registeredModelId=model)

    def _find_artifact(self, request: Request, body: Document) -> JSONResponse:
        rows = self.artifacts.get(request.query_params["parentResourceId"], [])
        return _one(rows, name=request.query_params["name"])

    def _create_model(self, request: Request, body: Document) -> JSONResponse:
        return _add(self.models, _checked(body, published.RegisteredModelCreate), "name")

    def _create_version(self, request: Request, body: Document) -> JSONResponse:
        checked = _checked(body, published.ModelVersionCreate)
        if checked["registeredModelId"] not in {one["id"] for one in self.models}:
            return _refuse(404, "no such registered model")
        return _add(self.versions, checked, "name", "registeredModelId")

    def _create_artifact(self, request: Request, body: Document) -> JSONResponse:
        if self.fail_artifacts:
            return _refuse(503, "the database is away")
        rows = self.artifacts.setdefault(request.path_params["id"], [])
        return _add(rows, _checked(body, published.ModelArtifactCreate), "name")


@contextmanager
def model_registry(server: ModelRegistryServer) -> Iterator[ModelRegistryServer]:
    """Run the server on a free port for as long as the block lasts."""
    (port,) = free_ports(1)
    server.url = f"http://127.0.0.1:{port}"
    config = uvicorn.Config(server.app(), port=port, log_level="warning")
    runner = uvicorn.Server(config)
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    while not runner.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
    try:
        yield server
    finally:
        runner.should_exit = True
        thread.join()


def _checked(body: Document, model: type[BaseModel]) -> Document:
    """Return `body` if the published model has all of it."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    if surplus := body.keys() - known:
        raise ValueError(f"unknown fields in {model.__name__}: {', '.join(sorted(surplus))}")
    kept: Document = model.from_dict(body).to_dict()  # type: ignore[attr-defined]
    return kept


def _add(rows: list[Document], body: Document, *unique: str) -> JSONResponse:
    if any(all(row[key] == body[key] for key in unique) for row in rows):
        return _refuse(409, f"{body['name']} exists")
    times = {"createTimeSinceEpoch": "1", "lastUpdateTimeSinceEpoch": "1"}
    rows.append({**body, **times, "id": str(len(rows) + 1)})
    return JSONResponse(rows[-1], 201)


def _one(rows: list[Document], **wanted: str) -> JSONResponse:
    for row in rows:
        if wanted.items() <= row.items():
            return JSONResponse(row)
    return _refuse(404, "not found")


def _page(rows: list[Document]) -> JSONResponse:
    return JSONResponse({"items": rows, "size": len(rows), "pageSize": 100, "nextPageToken": ""})


def _refuse(status: int, message: str) -> JSONResponse:
    return JSONResponse({"code": str(status), "message": message}, status)
