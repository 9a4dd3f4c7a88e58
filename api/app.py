"""Build the application: its services, its routes and the handlers of errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine, make_url

from api import health, pages
from api.audit import endpoints as audit
from api.audit.service import EVENT
from api.batches import endpoints as batches
from api.contests import endpoints as contests
from api.device import endpoints as device
from api.drift import endpoints as drift
from api.feedback import endpoints as feedback
from api.inbox import endpoints as inbox
from api.inbox.notices import PUSH
from api.inbox.revising import revise
from api.inbox.telling import tell_reporters
from api.kit import problems
from api.kit.auth import Tokens
from api.kit.bodies import BoundedBodies
from api.kit.context import Services
from api.kit.counters import BASE, Measured
from api.kit.database import Clock, open_engine, open_sessions
from api.kit.keyring import KeyRing
from api.kit.lanes import Lanes
from api.kit.limits import Limiter
from api.kit.oidc import verifiers
from api.kit.outbox import Worker
from api.kit.together import Together
from api.known import endpoints as known
from api.known.becoming import KNOWN
from api.known.replica import Replica
from api.metrics import endpoints as metrics
from api.names import endpoints as names
from api.privacy import endpoints as privacy
from api.privacy.retention import Caretaker
from api.push import endpoints as push
from api.push.keys import push_key
from api.push.work import wake
from api.registry import endpoints as registry
from api.review import endpoints as review
from api.review.decisions import REPORTS
from api.rollouts import endpoints as rollouts
from api.rollouts.router import ModelRouter
from api.runs import endpoints as runs
from api.scans import endpoints as scans
from api.seed_routes import endpoints as seed_routes
from api.settings import ApiSettings
from api.sharing import endpoints as sharing
from api.sharing.service import FEED, read_feed
from api.users import endpoints as users
from api.webhooks import endpoints as webhooks
from api.webhooks.work import DELIVERY, announce, deliver
from shield.artifacts import ArtifactStore
from shield.artifacts.opening import open_store
from shield.errors import Misconfigured
from shield.rollouts import RolloutStore
from shield.rollouts.opening import open_rollouts
from shield.rollouts.table import rollout_engine

_ROOMS = (
    *(
        scans,
        feedback,
        inbox,
        push,
        review,
        sharing,
        known,
        metrics,
        batches,
        seed_routes,
        registry,
        drift,
    ),
    *(device, rollouts, runs, users, privacy, audit, names, webhooks, contests),
)


_TELLING = {KNOWN: revise, REPORTS: tell_reporters, EVENT: announce}
"""Outbox worker for the effects of decisions and other events."""
_DELIVERING = {DELIVERY: deliver, FEED: read_feed}
"""Outbox worker for calls to webhooks, which may be slow."""
_WAKING = {PUSH: wake}
"""Outbox worker for calls to push services."""
_WAKING_THREADS = 4
"""One decision may warn thousands of people, and each call takes a tenth of a second."""


def _now() -> datetime:
    return datetime.now(UTC)


def open_services(
    settings: ApiSettings,
    *,
    engine: Engine | None = None,
    artifacts: ArtifactStore | None = None,
    rollouts: RolloutStore | None = None,
    clock: Clock = _now,
) -> Services:
    """Build the services of the API from settings; services passed as arguments are not built.

    Raises:
        Misconfigured: A setting is invalid.
    """
    if settings.message_keys is None:
        raise Misconfigured(
            "SHIELD_API_MESSAGE_KEYS names no key ring, and messages are stored only "
            "encrypted. `shieldctl up` makes one."
        )
    push_key(settings)
    direct = settings.database_direct_url
    engine = engine or open_engine(
        settings.database_url, pool_size=settings.pool_size, pooler=direct is not None
    )
    itself = engine.url if direct is None else make_url(direct)
    table = settings.rollouts == "table"
    rollouts = rollouts or open_rollouts(
        settings.rollouts,
        # An engine of its own: what polls must not take the write lock of requests.
        engine=rollout_engine(itself.render_as_string(hide_password=False)) if table else None,
        namespace=settings.rollouts_namespace,
    )
    reading = open_sessions(engine, reads=True)
    ring = KeyRing.read(settings.message_keys)
    return Services(
        settings=settings,
        engine=engine,
        sessions=open_sessions(engine),
        reading=reading,
        tokens=Tokens(settings, clock, verifiers(settings)),
        ring=ring,
        known=Replica(itself, reading, ring, clock),
        artifacts=artifacts or open_store(),
        rollouts=rollouts,
        router=ModelRouter(
            rollouts,
            timeout_seconds=settings.predict_timeout_seconds,
            watch_seconds=30.0,
        ),
        limiter=Limiter(
            settings.rate_per_user,
            settings.rate_per_address,
            settings.rate_storage,
            settings.trusted_proxies,
            proxy_hops=settings.proxy_hops,
            reads_per_user=settings.rate_reads_per_user,
            contests_per_address=settings.rate_contests,
        ),
        together=Together(apart=engine.dialect.name == "postgresql"),
        clock=clock,
    )


def create_app(services: Services) -> FastAPI:
    """Return the application over `services`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services.router.start()
        services.known.start()
        caretaker = Caretaker(services, services.settings.care_seconds)
        caretaker.start()
        workers = [
            Worker(services, _TELLING, "postman"),
            Worker(services, _DELIVERING, "webhooks"),
            # Without a key a single thread drops what an earlier configuration has left.
            Worker(services, _WAKING, "push", _WAKING_THREADS if services.settings.push_key else 1),
        ]
        for worker in workers:
            worker.start()
        yield
        for worker in workers:
            worker.stop()
        caretaker.stop()
        services.together.stop()
        services.known.stop()
        services.router.stop()

    app = FastAPI(
        title="antispam-shield",
        description="Scam filters that learn from their users.",
        version="2.0.0",
        lifespan=lifespan,
        responses=problems.documented(400, 401, 403, 404, 409, 413, 422, 429, 503),
        redirect_slashes=False,
    )
    app.state.services = services
    for name in ("engine", "settings", "tokens", "router", "rollouts", "artifacts", "clock"):
        setattr(app.state, name, getattr(services, name))
    app.state.sessions = services.sessions
    problems.install(app)
    app.add_middleware(Lanes, services=services, lanes=[scans.lane, feedback.lane])
    app.add_middleware(Measured)
    app.add_middleware(BoundedBodies, limit_bytes=services.settings.max_body_bytes)
    if services.settings.cors_origins:
        # Around the rest, so that a browser may read refusals too.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Idempotency-Key"],
            expose_headers=["Retry-After"],
            max_age=3600,
        )
    app.include_router(health.router)
    app.include_router(metrics.bare)
    for room in _ROOMS:
        app.include_router(room.router, prefix=BASE)
    app.include_router(rollouts.versions, prefix=BASE)
    app.include_router(seed_routes.bare)
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]
    pages.mount(app)
    return app


def _schema(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schema["components"]["schemas"]["Problem"] = problems.Problem.model_json_schema()
        app.openapi_schema = schema
    return app.openapi_schema
