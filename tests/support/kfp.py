"""An HTTP server that speaks the published API of Kubeflow Pipelines (v2beta1), for tests.

KFP's own servers come as images alone. This one keeps what it is sent and answers with it, and
refuses whatever the API's published models do not know: unknown fields, wrong types. What it does
beyond was seen on a real server: five-field crons are taken (and mean something else), nonsense
and weekday 7 are a 400, a taken pipeline or version name a 409, the same recurring-run name twice
is accepted, parameters come back as floating-point numbers, and times are whole seconds.
"""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import kfp_server_api.models as published
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.ports import free_ports

Document = dict[str, Any]


class KfpServer:
    """What is on the server, and every request that changed it."""

    def __init__(self) -> None:
        self.url = ""
        self.token: str | None = None
        """When set, requests need it."""
        self.pipelines: dict[str, Document] = {}
        self.versions: dict[str, Document] = {}
        self.packages: dict[str, bytes] = {}
        self.experiments: dict[str, Document] = {}
        self.recurring_runs: dict[str, Document] = {}
        self.runs: dict[str, Document] = {}
        self.writes: list[tuple[str, str]] = []
        self.fail_deletes = False
        self.single_user: str | None = None
        """Namespace of everything, whatever is asked for, where the server serves one user."""
        self.clock = datetime(2026, 11, 23, tzinfo=UTC)
        self.tick = timedelta(seconds=1)
        """How far the server's clock goes on with each object that is made."""
        self.meet = 0
        """So many looks at the recurring runs are answered together, with what was there before."""
        self._looks: asyncio.Event | None = None

    def app(self) -> Starlette:
        """Return the server's routes."""
        base = "/apis/v2beta1"
        routes = [
            ("/pipelines", "GET", self._list(self.pipelines, "pipelines")),
            ("/pipelines", "POST", self._create_pipeline),
            ("/pipelines/upload_version", "POST", self._upload_version),
            ("/pipelines/{pipeline_id}/versions", "GET", self._list_versions),
            ("/experiments", "GET", self._list(self.experiments, "experiments")),
            ("/experiments", "POST", self._create_experiment),
            ("/recurringruns", "GET", self._list_recurring_runs),
            ("/runs", "GET", self._list(self.runs, "runs")),
            ("/recurringruns", "POST", self._create_recurring_run),
            ("/recurringruns/{run_id}", "DELETE", self._delete_recurring_run),
            ("/runs", "POST", self._create_run),
        ]
        return Starlette(
            routes=[
                Route(base + path, self._guarded(method, handler), methods=[method])
                for path, method, handler in routes
            ]
        )

    def _guarded(self, method: str, handler: Any) -> Any:
        async def endpoint(request: Request) -> JSONResponse:
            if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
                return _refuse(401, "Request not authenticated")
            if method != "GET":
                self.writes.append((method, request.url.path.removeprefix("/apis/v2beta1/")))
            try:
                answer: JSONResponse = await handler(request)
                return answer
            except ValueError as error:
                return _refuse(400, str(error))

        return endpoint

    def _list(self, rows: dict[str, Document], name: str) -> Any:
        async def handler(request: Request) -> JSONResponse:
            query = request.query_params
            experiment = query.get("experiment_id")
            found = [
                row
                for row in rows.values()
                if not experiment or row.get("experiment_id") == experiment
            ]
            return _page(found, name, query)

        return handler

    async def _list_recurring_runs(self, request: Request) -> JSONResponse:
        answer: JSONResponse = await self._list(self.recurring_runs, "recurringRuns")(request)
        if self.meet:
            self._looks = self._looks or asyncio.Event()
            self.meet -= 1
            gathered = self._looks
            if not self.meet:
                gathered.set()
                self._looks = None
            await gathered.wait()
        return answer

    async def _list_versions(self, request: Request) -> JSONResponse:
        wanted = request.path_params["pipeline_id"]
        found = [row for row in self.versions.values() if row["pipeline_id"] == wanted]
        return _page(found, "pipeline_versions", request.query_params)

    async def _create_pipeline(self, request: Request) -> JSONResponse:
        body = checked(await request.json(), "V2beta1Pipeline")
        if any(row["name"] == body["name"] for row in self.pipelines.values()):
            return _refuse(409, f"pipeline {body['name']} already exists")
        return self._keep(self.pipelines, "pipeline_id", body)

    async def _upload_version(self, request: Request) -> JSONResponse:
        name, pipeline = request.query_params["name"], request.query_params["pipelineid"]
        if pipeline not in self.pipelines:
            return _refuse(404, "no such pipeline")
        if any(row["name"] == name for row in self.versions.values()):
            return _refuse(409, f"version {name} already exists")
        form = await request.form()
        file = form["uploadfile"]
        assert not isinstance(file, str)
        self.packages[name] = await file.read()
        display_name = request.query_params.get("display_name", name)
        body = {"pipeline_id": pipeline, "name": name, "display_name": display_name}
        return self._keep(self.versions, "pipeline_version_id", body)

    async def _create_experiment(self, request: Request) -> JSONResponse:
        body = checked(await request.json(), "V2beta1Experiment")
        if any(row["display_name"] == body["display_name"] for row in self.experiments.values()):
            return _refuse(409, "experiment already exists")
        return self._keep(self.experiments, "experiment_id", body)

    async def _create_recurring_run(self, request: Request) -> JSONResponse:
        body = checked(await request.json(), "V2beta1RecurringRun")
        if body["experiment_id"] not in self.experiments:
            return _refuse(404, "no such experiment")
        fields = body["trigger"]["cron_schedule"]["cron"].split()
        if len(fields) not in (5, 6) or any(
            not set(field) <= set("0123456789*/,-?") for field in fields
        ):
            raise ValueError(f"cron {fields} cannot be parsed")
        for field, highest in zip(reversed(fields), (6, 12, 31, 23, 59, 59), strict=False):
            for number in re.findall(r"(?<!/)\b\d+", field):
                if int(number) > highest:
                    raise ValueError(f"End of range ({number}) above maximum ({highest}): {field}")
        body.setdefault("service_account", "default-editor")
        asked = self.experiments[body["experiment_id"]].get("namespace", "")
        body["namespace"] = self.single_user or asked
        return self._keep(self.recurring_runs, "recurring_run_id", body)

    async def _delete_recurring_run(self, request: Request) -> JSONResponse:
        if self.fail_deletes:
            return _refuse(500, "the database is away")
        if self.recurring_runs.pop(request.path_params["run_id"], None) is None:
            return _refuse(404, "no such recurring run")
        return JSONResponse({})

    async def _create_run(self, request: Request) -> JSONResponse:
        return self._keep(self.runs, "run_id", checked(await request.json(), "V2beta1Run"))

    def _keep(self, rows: dict[str, Document], key: str, body: Document) -> JSONResponse:
        identifier = str(uuid4())
        self.clock += self.tick
        made = f"{self.clock:%Y-%m-%dT%H:%M:%SZ}"
        rows[identifier] = {**body, key: identifier, "created_at": made}
        return JSONResponse(rows[identifier])


def checked(document: Any, model: str) -> Document:
    """Return `document` as the server keeps it.

    Raises:
        ValueError: The published model does not have such a field, or has it with another type.
    """
    known = getattr(published, model)
    if not isinstance(document, dict):
        raise ValueError(f"{model} must be an object")
    kept: Document = {}
    for name, value in document.items():
        if name not in known.attribute_map.values():
            raise ValueError(f"unknown field {name!r} in {model}")
        kind = known.openapi_types[name]
        if hasattr(published, kind) and not _is_enum(kind):
            kept[name] = checked(value, kind)
        elif _is_enum(kind):
            if value not in getattr(published, kind).allowable_values:
                raise ValueError(f"{value!r} is no {kind}")
            kept[name] = value
        elif kind == "bool" and not isinstance(value, bool):
            raise ValueError(f"{model}.{name} must be a boolean")
        elif kind == "str":
            if not isinstance(value, str):
                raise ValueError(f"{model}.{name} must be a string, not {value!r}")
            kept[name] = value
        else:
            kept[name] = _as_protobuf(value)
    return kept


def _is_enum(kind: str) -> bool:
    return hasattr(getattr(published, kind, None), "allowable_values")


def _as_protobuf(value: Any) -> Any:
    """Return a value as it comes back out of a protobuf Struct: all numbers are floating-point."""
    if isinstance(value, dict):
        return {name: _as_protobuf(child) for name, child in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _page(found: list[Document], name: str, query: Any) -> JSONResponse:
    size, start = int(query.get("page_size") or 20), int(query.get("page_token") or 0)
    body: Document = {"total_size": len(found)}
    if found[start : start + size]:
        body[name] = found[start : start + size]  # an empty list is left out, as gRPC does
    if start + size < len(found):
        body["next_page_token"] = str(start + size)
    return JSONResponse(body)


def _refuse(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message, "code": status, "message": message}, status)


@contextmanager
def kfp_server() -> Iterator[KfpServer]:
    """Run the server on a free port."""
    server = KfpServer()
    port = free_ports(1)[0]
    running = uvicorn.Server(uvicorn.Config(server.app(), port=port, log_level="warning"))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started and thread.is_alive():
        threading.Event().wait(0.005)
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        running.should_exit = True
        thread.join()


@pytest.fixture
def kfp() -> Iterator[KfpServer]:
    """A server of the KFP API with nothing on it."""
    with kfp_server() as server:
        yield server
