"""The smallest front that a peer needs to do the same: `python -m bench.scans.front`.

FastAPI checks a token, asks the peer's model server, stores a row and answers after its commit. It
has no rate limits, encryption, campaigns, arms, reasons or audit log. Settings are environment
variables: `FRONT_PORT`, `FRONT_MODEL` (URL), `FRONT_TEMPLATE` (JSON body with %s for the text),
`FRONT_DATABASE` (of PostgreSQL), `FRONT_SECRET` (of the tokens).
"""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import jwt
import psycopg
import uvicorn
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

_CONNECTIONS = 8
_INSERT = """
INSERT INTO scans (id, user_id, scan_type, model_type, text_sealed, fingerprint, verdict, positive,
 probability, confidence, model_version, arm, forced, latency_ms, created_at)
VALUES (%s, %s, 'text', 'sms', %s, %s, %s, %s, %s, %s, 'v1', 'stable', false, 0, now())
"""


class _Scan(BaseModel):
    text: str


class _Verdict(BaseModel):
    id: str
    verdict: str
    probability: float


def make_app() -> FastAPI:
    """Return the application."""
    template, model = os.environ["FRONT_TEMPLATE"], os.environ["FRONT_MODEL"]
    idle: asyncio.Queue[psycopg.AsyncConnection] = asyncio.Queue()
    client = httpx.AsyncClient(
        timeout=60, trust_env=False, headers={"content-type": "application/json"}
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for _number in range(_CONNECTIONS):
            url = os.environ["FRONT_DATABASE"]
            idle.put_nowait(await psycopg.AsyncConnection.connect(url))
        yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/scans", status_code=201)
    async def scan(body: _Scan, authorization: Annotated[str, Header()]) -> _Verdict:
        try:
            token = authorization.removeprefix("Bearer ")
            secret = os.environ["FRONT_SECRET"]
            claims = jwt.decode(token, secret, algorithms=["HS256"], options={"verify_aud": False})
        except jwt.PyJWTError as error:
            raise HTTPException(401, "The token is not valid.") from error
        said = await client.post(model, content=template.replace("%s", json.dumps(body.text)))
        said.raise_for_status()
        answer = said.json()
        probability = float(
            answer["outputs"][0]["data"][0] if "outputs" in answer else answer["probability"]
        )
        verdict = _Verdict(
            id=secrets.token_hex(16),
            verdict="spam" if probability >= 0.5 else "ham",
            probability=probability,
        )
        connection = await idle.get()
        try:
            await connection.execute(
                _INSERT,
                (
                    *(verdict.id, claims["sub"], body.text.encode(), verdict.id, verdict.verdict),
                    *(probability >= 0.5, probability, probability),
                ),
            )
            await connection.commit()
        finally:
            idle.put_nowait(connection)
        return verdict

    return app


if __name__ == "__main__":
    uvicorn.run(
        make_app(), host="127.0.0.1", port=int(os.environ["FRONT_PORT"]), log_level="warning"
    )
