"""Routes of the model server."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serving.server import answers, oip
from serving.server.engine import Engine
from serving.server.http import Answer, Request, Response, problem
from serving.server.jobs import Scored
from serving.server.metrics import Metrics
from serving.server.model import ServedModel
from serving.server.repository import Repository, VersionSource
from serving.server.settings import ServerSettings
from shield.characters import unreadable, well_formed
from shield.errors import Forbidden, Invalid, NotFound, ShieldError, TooLarge, Unusable

# No name of a version and no path of a package is longer.
_MAX_PARAMETER_CHARS = 1024
_PARAMETERS = {"arm", "digest", "package", "version"}


@dataclass
class Routes:
    """The request handler: returns a response, or a future of one."""

    repository: Repository
    engine: Engine
    metrics: Metrics
    settings: ServerSettings
    ready: Callable[[], bool]

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def __call__(self, request: Request) -> Answer:
        """Handle a request; convert errors to problem documents, and measure the latency."""
        route = "other"
        answer: Answer
        try:
            route, answer = self._dispatch(request)
        except ShieldError as error:
            answer = problem(error)
        if isinstance(answer, Response):
            self._observe(request, route, answer)
            return answer
        return self._finished(request, route, answer)

    def _finished(
        self, request: Request, route: str, answer: "asyncio.Future[Response]"
    ) -> "asyncio.Future[Response]":
        outcome: asyncio.Future[Response] = self._loop.create_future()

        def done(finished: "asyncio.Future[Response]") -> None:
            error = finished.exception()
            if error is None:
                response = finished.result()
            elif isinstance(error, ShieldError):
                response = problem(error)
            else:
                outcome.set_exception(error)
                return
            self._observe(request, route, response)
            outcome.set_result(response)

        answer.add_done_callback(done)
        return outcome

    def _observe(self, request: Request, route: str, response: Response) -> None:
        seconds = time.perf_counter() - request.arrived
        self.metrics.latency.labels(route, response.status).observe(seconds)
        request_id = answers.request_id(request)
        if request_id is not None:
            response.headers = (*response.headers, ("x-request-id", request_id))

    def _dispatch(self, request: Request) -> tuple[str, Answer]:
        path = request.path
        if path == "/predict":
            answers.only(request, "POST")
            return "predict", self._predict(request)
        if path == "/metrics":
            answers.only(request, "GET")
            text = self.metrics.text()
            return "metrics", Response(
                text, content_type="text/plain; version=0.0.4; charset=utf-8"
            )
        parts = path.strip("/").split("/")
        if parts[0] == "v2":
            return self._protocol(request, parts[1:])
        raise NotFound(f"There is nothing at {path[:100]!r}. Try `POST /predict` or `GET /v2`.")

    def _protocol(self, request: Request, parts: list[str]) -> tuple[str, Answer]:
        match parts:
            case []:
                answers.only(request, "GET")
                return "metadata", answers.json_response(
                    {
                        "name": "antispam-shield",
                        "version": "2",
                        "extensions": ["binary_tensor_data"],
                    }
                )
            case ["health", "live"]:
                answers.only(request, "GET")
                return "live", answers.json_response({"live": True})
            case ["health", "ready"]:
                answers.only(request, "GET")
                return "ready", self._ready()
            case ["models", name]:
                answers.only(request, "GET")
                return "metadata", self._metadata(name, None)
            case ["models", name, "versions", version]:
                answers.only(request, "GET")
                return "metadata", self._metadata(name, version)
            case ["models", name, "ready"]:
                answers.only(request, "GET")
                return "ready", self._model_ready(name, None)
            case ["models", name, "versions", version, "ready"]:
                answers.only(request, "GET")
                return "ready", self._model_ready(name, version)
            case ["models", name, "infer"]:
                answers.only(request, "POST")
                return "infer", self._infer(request, name, None)
            case ["models", name, "versions", version, "infer"]:
                answers.only(request, "POST")
                return "infer", self._infer(request, name, version)
            case ["repository", "index"]:
                answers.only(request, "POST", "GET")
                return "repository", answers.index(self.repository)
            case ["repository", "models", name, "load" | "unload" as action]:
                answers.only(request, "POST")
                return "repository", self._change(request, name, action)
        raise NotFound(
            f"There is nothing at {request.path[:100]!r}. `GET /v2` lists what is offered."
        )

    # --- answers ---

    def _predict(self, request: Request) -> Answer:
        document = oip.read_json(request.body)
        texts = document.get("texts")
        if texts is None and "text" in document:
            texts = [document["text"]]
        if not isinstance(texts, list) or not texts:
            raise Invalid('Send {"text": "..."} or {"texts": ["...", ...]} with at least one text.')
        if not all(isinstance(text, str) for text in texts):
            raise Invalid("Every text has to be a string.")
        model = self.repository.serving(self.repository.model_type)
        deadline = oip.read_deadline(answers.deadline_header(request))
        return self._score(
            request,
            model,
            texts,
            deadline,
            lambda scored: answers.plain(model, scored, _broken(texts)),
        )

    def _infer(self, request: Request, name: str, version: str | None) -> Answer:
        model = self.repository.serving(name, version)
        asked = oip.parse(request)
        if not asked.texts:
            raise Invalid("`text` is empty. Send at least one text.")
        deadline = asked.deadline_seconds or oip.read_deadline(answers.deadline_header(request))
        return self._score(
            request,
            model,
            asked.texts,
            deadline,
            lambda scored: oip.answer(asked, model, scored.probabilities, _broken(asked.texts)),
        )

    def _score(
        self,
        request: Request,
        model: ServedModel,
        texts: list[str],
        deadline_seconds: float | None,
        write: Callable[[Scored], Response],
    ) -> "asyncio.Future[Response]":
        texts = list(map(well_formed, texts))
        self._check_size(texts)
        outcome: asyncio.Future[Response] = self._loop.create_future()

        def done(finished: "asyncio.Future[Scored]") -> None:
            error = finished.exception()
            if error is None:
                outcome.set_result(write(finished.result()))
            else:
                outcome.set_exception(error)

        scores = self.engine.submit(
            model,
            texts,
            deadline_seconds or self.settings.deadline_seconds,
            lambda: not request.gone,
        )
        scores.add_done_callback(done)
        return outcome

    def _check_size(self, texts: Sequence[str]) -> None:
        limits = self.settings
        if len(texts) > limits.max_texts:
            raise TooLarge(
                f"{len(texts)} texts are more than {limits.max_texts} in one request. Send them in "
                "parts, or raise SHIELD_SERVER_MAX_TEXTS."
            )
        longest = max(map(len, texts))
        if longest > limits.max_text_chars:
            raise TooLarge(
                f"A text of {longest} characters is longer than {limits.max_text_chars}. Shorten "
                "it, or raise SHIELD_SERVER_MAX_TEXT_CHARS."
            )

    def _ready(self) -> Response:
        model = self.repository.active
        ready = self.ready() and model is not None and not model.breaker.open
        return answers.json_response({"ready": ready}, 200 if ready else 503)

    def _model_ready(self, name: str, version: str | None) -> Response:
        model = self.repository.serving(name, version)
        ready = self.ready() and not model.breaker.open
        body = {"name": model.name, "version": model.version, "ready": ready}
        return answers.json_response(body, 200 if ready else 503)

    def _metadata(self, name: str, version: str | None) -> Response:
        model = self.repository.serving(name, version)
        return answers.json_response(oip.metadata(model, sorted(self.repository.versions)))

    def _change(self, request: Request, name: str, action: str) -> "asyncio.Future[Response]":
        if not self.settings.repository:
            raise Forbidden(
                "This server's versions are fixed when it starts. Start it with "
                "SHIELD_SERVER_REPOSITORY=true to load and unload them over HTTP."
            )
        if name != self.repository.model_type:
            self.repository.serving(name)
        document = oip.read_json(request.body or b"{}")
        parameters = document.get("parameters", {})
        if not isinstance(parameters, dict) or not all(
            isinstance(value, str) and len(value) <= _MAX_PARAMETER_CHARS
            for value in parameters.values()
        ):
            raise Invalid(
                f"`parameters` has to be an object of strings of at most {_MAX_PARAMETER_CHARS} "
                "characters."
            )
        unknown = sorted(parameters.keys() - _PARAMETERS)
        if unknown:
            raise Invalid(
                f"`parameters` has {', '.join(unknown)}, which is not known here. Known are: "
                f"{', '.join(sorted(_PARAMETERS))}."
            )
        if "version" not in parameters:
            raise Invalid("`parameters.version`, the name of the version, is missing.")
        work = self._load(parameters) if action == "load" else self._unload(parameters)
        return asyncio.ensure_future(work)

    async def _load(self, parameters: dict[str, str]) -> Response:
        version = parameters["version"]
        loaded = self.repository.versions.get(version)
        if "package" not in parameters and loaded is None:
            raise Invalid("`parameters.package`, the location of the version, is missing.")
        source = VersionSource(
            package=parameters.get("package", ""),
            version=version,
            arm=parameters.get("arm", "stable"),
            digest=parameters.get("digest"),
        )
        try:
            model = await self.repository.load(source)
        except Unusable as error:
            # The client has named it; the server itself is well.
            return problem(error, status=422)
        return answers.json_response(
            {"name": model.name, "version": model.version, "digest": model.digest}
        )

    async def _unload(self, parameters: dict[str, str]) -> Response:
        await self.repository.unload(parameters["version"])
        return answers.json_response({})


def _broken(texts: Sequence[str]) -> int:
    """Return the number of unreadable characters, which are replaced by U+FFFD."""
    return sum(unreadable(well_formed(text)) for text in texts)
