"""Security headers of the pages: only own files are executed, no other origin is contacted."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types shield",
    ]
)
"""No inline scripts or styles, no other origins, and DOM sinks accept only trusted types made by
`lib/dom.ts`."""

WASM_WORKER_POLICY = "default-src 'none'; script-src 'wasm-unsafe-eval'"
"""Policy of the workers that read text in pictures and run the encoder: they run WebAssembly, and
no request can leave them, so pictures and messages stay on the phone whatever the code does."""

REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Policy of evaluation reports, which a pipeline step wrote: no scripts, no forms, no origin."""

ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Pages show people's messages: no cache, ours or a proxy's, may keep them.
    "Cache-Control": "no-store",
}


class PageHeaders:
    """ASGI middleware that adds the headers `ALWAYS` that a response does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
