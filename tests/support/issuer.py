"""A small OpenID Connect issuer: discovery, keys, authorization code with PKCE, signed ID tokens.

It signs in whoever it is told to, without asking for a password; all else is the protocol, checked
as an issuer checks it: the redirect URI, the client's secret, the code (once), the PKCE verifier.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from jwt.algorithms import RSAAlgorithm

CLIENT_ID = "dashboard"
CLIENT_SECRET = "known-to-both"


@dataclass
class Issuer:
    """An issuer that answers; `person` is who signs in next."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "user-1"})
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    spoil: dict[str, Any] = field(default_factory=dict)
    """Claims to put wrong into the next ID token."""
    userinfo: dict[str, Any] | None = None
    """What the userinfo endpoint says; without it there is none."""

    @property
    def discovery_url(self) -> str:
        """Where clients learn of everything else."""
        return f"{self.url}/.well-known/openid-configuration"


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """Serve an issuer on a free port until the block ends."""
    issuer = Issuer()
    config = uvicorn.Config(_application(issuer), port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    issuer.url = f"http://127.0.0.1:{port}"
    try:
        yield issuer
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def _application(issuer: Issuer) -> FastAPI:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    app = FastAPI(openapi_url=None)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        told = {"userinfo_endpoint": f"{issuer.url}/userinfo"}
        return (told if issuer.userinfo is not None else {}) | {
            "issuer": issuer.url,
            "authorization_endpoint": f"{issuer.url}/authorize",
            "token_endpoint": f"{issuer.url}/token",
            "jwks_uri": f"{issuer.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [{**public, "kid": "1", "alg": "RS256", "use": "sig"}]}

    @app.get("/userinfo")
    def userinfo() -> dict[str, Any]:
        return issuer.userinfo or {}

    @app.get("/authorize")
    def authorize(request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        issuer.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}")

    @app.post("/token")
    async def token(request: Request) -> JSONResponse:
        form = {name: str(value) for name, value in (await request.form()).items()}
        asked = issuer.codes.pop(form["code"], None)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        good = (
            asked is not None
            and request.headers.get("authorization") == f"Basic {basic}"
            and form["redirect_uri"] == asked["redirect_uri"]
            and challenge == asked["code_challenge"]
        )
        if not good or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": issuer.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **issuer.person,
            **issuer.spoil,
        }
        signed = jwt.encode(claims, key, algorithm="RS256", headers={"kid": "1"})
        return JSONResponse({"access_token": "-", "token_type": "Bearer", "id_token": signed})

    return app
