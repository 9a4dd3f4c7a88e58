"""The context of a request: the caller, one transaction, one point in time, and the services."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from anyio import CancelScope, CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.requests import HTTPConnection

from api.kit.auth import MACHINES, Principal, Tokens
from api.kit.bell import Bell
from api.kit.database import Clock
from api.kit.keyring import KeyRing
from api.kit.known import Known
from api.kit.limits import Limiter
from api.kit.routing import Router
from api.kit.together import Together
from api.kit.tokens import Role
from api.settings import ApiSettings
from shield.artifacts import ArtifactStore
from shield.errors import Unauthenticated
from shield.rollouts import RolloutStore


@dataclass(frozen=True)
class Services:
    """The services of a running API, built once by `open_services`."""

    settings: ApiSettings
    engine: Engine
    sessions: sessionmaker[Session]
    reading: sessionmaker[Session]
    """Factory of read-only sessions."""
    tokens: Tokens
    ring: KeyRing
    artifacts: ArtifactStore
    rollouts: RolloutStore
    router: Router
    known: Known
    limiter: Limiter
    together: Together
    """Writes the rows of concurrent requests in one transaction."""
    clock: Clock
    posted: Bell = field(default_factory=Bell)
    """Signals that this process has added work to the outbox."""


@dataclass(frozen=True)
class Context:
    """The context of one request. Its session commits only if the request succeeds."""

    services: Services
    principal: Principal
    session: Session
    now: datetime
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    """After-commit hooks."""

    @property
    def ring(self) -> KeyRing:
        """Return the key ring of stored messages."""
        return self.services.ring

    @property
    def settings(self) -> ApiSettings:
        """Return the settings."""
        return self.services.settings

    @property
    def user(self) -> str:
        """Return the caller's user id."""
        return self.principal.subject

    def fresh(self) -> "Context":
        """Return the same context with the current time, after a slow call."""
        return Context(
            self.services, self.principal, self.session, self.services.clock(), self.after_commit
        )

    def finish(self) -> None:
        """Commit, then run the after-commit hooks. Idempotent."""
        if self.session.in_transaction():
            self.session.commit()
        while self.after_commit:
            self.after_commit.pop(0)()


@contextmanager
def open_context(
    services: Services, principal: Principal, *, reads: bool = False
) -> Iterator[Context]:
    """Open a transaction for `principal`; it commits on exit, or rolls back on an error."""
    with (services.reading if reads else services.sessions)() as session:
        context = Context(services, principal, session, services.clock())
        yield context
        context.finish()


_bearer = HTTPBearer(auto_error=False, description="A JWT; `shieldctl token` makes one.")


# What waits for nothing runs on the event loop: a thread for it would cost more than the work.


async def get_services(request: Request) -> Services:
    """Return the services of the application that serves `request`."""
    services: Services = request.app.state.services
    return services


async def get_principal(
    services: Annotated[Services, Depends(get_services)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Return the caller of a request. Raises `Unauthenticated`."""
    if credentials is None:
        raise Unauthenticated(
            "This needs a token: send `Authorization: Bearer <token>`. `shieldctl token` makes one."
        )
    return await principal_of(services, credentials.credentials)


async def principal_of(services: Services, token: str) -> Principal:
    """Return the principal of a token. Raises `Unauthenticated`."""
    if services.tokens.asks_others and services.tokens.known(token) is None:
        return await run_sync(services.tokens.verify, token)
    return services.tokens.verify(token)


async def count_write(services: Services, principal: Principal, request: HTTPConnection) -> None:
    """Count a write against the caller's rate limits. Raises `RateLimited`, `Unavailable`."""
    if principal.roles.isdisjoint(MACHINES):
        address = services.limiter.address(request)
        await _counted(services.limiter, services.limiter.check, principal.subject, address)


class Allow:
    """FastAPI dependency of a route: checks roles and rate limit, and opens the transaction."""

    def __init__(self, *roles: Role, reads: bool = False) -> None:
        self.roles = roles
        self._reads = reads

    async def __call__(
        self,
        request: Request,
        services: Annotated[Services, Depends(get_services)],
        principal: Annotated[Principal, Depends(get_principal)],
    ) -> AsyncIterator[Context]:
        """Yield the context of one request."""
        principal.require(*self.roles)
        if self._reads:
            if principal.roles.isdisjoint(UNCOUNTED):
                await _counted(services.limiter, services.limiter.check_read, principal.subject)
        else:
            await count_write(services, principal, request)
        # Nothing is asked of the database before the route's own thread asks it.
        session = (services.reading if self._reads else services.sessions)()
        context = Context(services, principal, session, services.clock())
        try:
            yield context
            if session.in_transaction() or context.after_commit:
                await _at_once(context.finish)
        finally:
            if session.in_transaction():
                await _at_once(session.close)


async def _counted(limiter: Limiter, check: Callable[..., None], *names: str) -> None:
    if limiter.is_remote:
        await run_sync(check, *names)
    else:
        check(*names)


async def _at_once(work: Callable[[], None]) -> None:
    """Run blocking work in a new thread instead of the thread pool.

    The work returns a database connection: in the pool it could queue behind routes that wait for a
    connection, which is a deadlock.
    """
    with CancelScope(shield=True):
        await run_sync(work, limiter=CapacityLimiter(1))


PEOPLE = (Role.USER, Role.REVIEWER, Role.ADMIN)
REVIEWERS = (Role.REVIEWER, Role.ADMIN)
STAFF = (Role.REVIEWER, Role.ADMIN, Role.PIPELINE)
WATCHERS = (Role.REVIEWER, Role.ADMIN, Role.OPERATOR)
TRAINERS = (Role.ADMIN, Role.PIPELINE)
UNCOUNTED = (Role.REVIEWER, Role.ADMIN, *MACHINES)
"""Roles whose reads are not rate-limited."""

# `scope="function"`: the transaction must be safe before the answer leaves, not after.
AnyRead = Annotated[Context, Depends(Allow(*PEOPLE, reads=True), scope="function")]
AnyWrite = Annotated[Context, Depends(Allow(*PEOPLE), scope="function")]
ReviewerRead = Annotated[Context, Depends(Allow(*REVIEWERS, reads=True), scope="function")]
ReviewerWrite = Annotated[Context, Depends(Allow(*REVIEWERS), scope="function")]
StaffRead = Annotated[Context, Depends(Allow(*STAFF, reads=True), scope="function")]
EvidenceRead = Annotated[Context, Depends(Allow(*WATCHERS, reads=True), scope="function")]
TrainerRead = Annotated[Context, Depends(Allow(*TRAINERS, reads=True), scope="function")]
TrainerWrite = Annotated[Context, Depends(Allow(*TRAINERS), scope="function")]
OperatorWrite = Annotated[Context, Depends(Allow(Role.OPERATOR), scope="function")]
AdminRead = Annotated[Context, Depends(Allow(Role.ADMIN, reads=True), scope="function")]
AdminWrite = Annotated[Context, Depends(Allow(Role.ADMIN), scope="function")]
