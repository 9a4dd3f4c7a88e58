"""`/app`: page, manifest and service worker of the phone's web app. The rest is `/api/v2`."""

import json
from typing import Annotated

import segno
from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from markupsafe import Markup

from api.device import signing
from api.kit.auth import Principal
from api.kit.context import Services, get_services, open_context
from api.kit.tokens import Role
from api.pages.assets import FOREVER, Assets
from api.pages.headers import WASM_WORKER_POLICY
from api.pages.packing import packed, packed_file
from api.pages.sessions import Visit
from api.pages.settings import PagesSettings
from api.pages.templates import Templates
from api.pages.visitor import CheckedForm, get_visit
from api.pages.words import Words
from api.users import pairing
from shield.errors import NotFound, Unauthenticated

router = APIRouter()

FILES = ["image/*", "message/rfc822", ".eml", "text/plain"]
"""MIME types that can be shared to the app: images of QR codes, mails, texts."""

NOBODY = Principal("nobody", frozenset())
"""Principal of requests before authentication."""
TOKEN_SECONDS = 30 * 86400
"""Lifetime of the token of a phone connected by a signed-in user."""


@router.get("/app")
def shell(request: Request, services: Annotated[Services, Depends(get_services)]) -> Response:
    """Return the page; it contains no personal data, so the service worker may cache it.

    It contains the public keys that verify the model on the phone.
    """
    templates: Templates = request.app.state.templates
    settings: PagesSettings = request.app.state.pages_settings
    organisation = settings.oidc_discovery_url is not None or settings.trusted_header is not None
    releases, packages = signing.pins(services.ring)
    pins = json.dumps({"releases": releases, "packages": packages})
    response = templates.page(request, "app.html", organisation=organisation, pins=pins)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    return packed(response, request.headers)


@router.get("/app/manifest.webmanifest")
def manifest(request: Request) -> Response:
    """Return the web app manifest."""
    assets: Assets = request.app.state.assets
    spoken = Words(assets).asked_by(request)
    icons = [
        {"src": assets.url(f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    return JSONResponse(
        {
            "id": "/app",
            "name": "Antispam Shield",
            "short_name": "Shield",
            "description": spoken("description"),
            "lang": spoken.language,
            "dir": spoken.direction,
            "start_url": "/app",
            "scope": "/app",
            "display": "standalone",
            "background_color": "#f4f6fa",
            "theme_color": "#1d4ed8",
            # "Share" in the phone's message app: the service worker takes it, the server never sees
            # it (a GET would write the message into its log).
            "share_target": {
                "action": "/app/share",
                "method": "POST",
                "enctype": "multipart/form-data",
                "params": {
                    "title": "title",
                    "text": "text",
                    "url": "url",
                    "files": [{"name": "file", "accept": FILES}],
                },
            },
            "icons": [
                *icons,
                {**icons[1], "purpose": "maskable"},
                {"src": assets.url("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
            ],
        },
        media_type="application/manifest+json",
        headers={"Cache-Control": "no-cache", "Vary": "Accept-Language"},
    )


@router.post("/app/share")
def share() -> Response:
    """Redirect a share to the app, if its service worker did not handle it."""
    return RedirectResponse("/app", 303)


@router.get("/app/worker.js")
def worker(request: Request) -> Response:
    """Return the service worker, with the header that allows the scope `/app`."""
    assets: Assets = request.app.state.assets
    headers = {"Service-Worker-Allowed": "/app", "Cache-Control": "no-cache"}
    return packed_file(assets.worker(), request.headers, **headers)


@router.get("/app/pictures/{name}")
def picture_worker(request: Request, name: str) -> Response:
    """Return the script that reads text in pictures, with a policy of its own.

    Its name holds the hash of its content; it is under `/app`, within reach of the service worker.
    """
    return _wasm_worker(request, "picture-worker.js", name)


@router.get("/app/encoder/{name}")
def encoder_worker(request: Request, name: str) -> Response:
    """Return the script that judges by the encoder, with the same policy."""
    return _wasm_worker(request, "encoder-worker.js", name)


def _wasm_worker(request: Request, script: str, name: str) -> Response:
    assets: Assets = request.app.state.assets
    if name != assets.names().get(script):
        raise NotFound(f"There is no {name!r}. Reload the app: a newer build replaced it.")
    return FileResponse(
        assets.folder / name,
        media_type="text/javascript",
        headers={"Content-Security-Policy": WASM_WORKER_POLICY, "Cache-Control": FOREVER},
    )


@router.post("/app/pair")
def pair(
    request: Request,
    services: Annotated[Services, Depends(get_services)],
    code: Annotated[str, Body(embed=True, max_length=32)],
) -> dict[str, str]:
    """Exchange a pairing code, once, for a token of its account."""
    address = services.limiter.address(request)
    services.limiter.check(f"pairing {address}", address)
    with open_context(services, NOBODY) as ctx:
        subject = pairing.redeem(ctx, code)
    return {"token": services.tokens.issue(subject, [Role.USER], TOKEN_SECONDS)}


@router.post("/app/code", dependencies=[CheckedForm])
def show_code(
    request: Request,
    services: Annotated[Services, Depends(get_services)],
    visit: Annotated[Visit | None, Depends(get_visit)],
) -> Response:
    """Show a pairing code to a signed-in user, as a QR code and as text."""
    if visit is None or visit.principal is None:
        raise Unauthenticated("Sign in at /login first.")
    with open_context(services, visit.principal) as ctx:
        issued = pairing.issue(ctx)
    url = str(request.base_url.replace(path="/app", fragment=f"code={issued.code}"))
    picture = Markup(
        segno.make(url, error="m").svg_inline(scale=5, border=2, dark="#000", light="#fff")
    )
    templates: Templates = request.app.state.templates
    address = str(request.base_url.replace(path="/app"))
    response = templates.page(request, "pair.html", issued=issued, picture=picture, address=address)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/app/connect", dependencies=[CheckedForm])
def connect(
    services: Annotated[Services, Depends(get_services)],
    visit: Annotated[Visit | None, Depends(get_visit)],
) -> Response:
    """Issue a token for the phone of a signed-in user."""
    if visit is None or visit.principal is None:
        raise Unauthenticated("Sign in at /login first.")
    token = services.tokens.issue(visit.principal.subject, [Role.USER], TOKEN_SECONDS)
    # In the fragment, which the browser keeps to itself.
    return RedirectResponse(f"/app#token={token}", 303)
