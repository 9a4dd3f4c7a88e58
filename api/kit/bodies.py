"""Limit the size of request bodies."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.problems import problem_response
from shield.errors import TooLarge


class BoundedBodies:
    """ASGI middleware that refuses bodies over the limit, with or without `Content-Length`."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._limit:
            await self._refuse(scope, receive, send)
            return
        messages: list[Message] = []
        if b"transfer-encoding" in dict(scope["headers"]):
            size = 0
            while True:
                message = await receive()
                messages.append(message)
                size += len(message.get("body", b""))
                if size > self._limit:
                    await self._refuse(scope, receive, send)
                    return
                if message["type"] != "http.request" or not message.get("more_body"):
                    break
        replay = iter(messages)

        async def bounded() -> Message:
            for message in replay:
                return message
            return await receive()

        await self._app(scope, bounded, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = TooLarge(f"The body is larger than {self._limit} bytes. Send less at once.")
        await problem_response(error)(scope, receive, send)
