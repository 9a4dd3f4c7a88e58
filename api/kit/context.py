"""What a service function works with: the caller, one transaction, one moment, and the parts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from api.kit.auth import Principal, Tokens
from api.kit.database import Clock, read_only
from api.kit.keyring import KeyRing
from api.kit.limits import Limiter
from api.kit.tokens import Role
from api.settings import ApiSettings
from shield.artifacts import ArtifactStore
from shield.errors import Unauthenticated
from shield.rollouts import RolloutStore

if TYPE_CHECKING:
    from api.rollouts.router import ModelRouter


@dataclass(frozen=True)
class Services:
    """The parts of a running API; made once by `create_app`."""

    settings: ApiSettings
    engine: Engine
    sessions: sessionmaker[Session]
    tokens: Tokens
    ring: KeyRing
    artifacts: ArtifactStore
    rollouts: RolloutStore
    router: "ModelRouter"
    limiter: Limiter
    clock: Clock


@dataclass(frozen=True)
class Context:
    """One request. The session commits when the request succeeds, and only then."""

    services: Services
    principal: Principal
    session: Session
    now: datetime
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    """Called once the transaction is safe."""

    @property
    def ring(self) -> KeyRing:
        """Return the message keys."""
        return self.services.ring

    @property
    def settings(self) -> ApiSettings:
        """Return the settings."""
        return self.services.settings

    @property
    def user(self) -> str:
        """Return the caller's name."""
        return self.principal.subject

    def fresh(self) -> "Context":
        """Return the same context at the present moment (after a call to somebody else)."""
        return Context(
            self.services, self.principal, self.session, self.services.clock(), self.after_commit
        )


@contextmanager
def open_context(
    services: Services, principal: Principal, *, reads: bool = False
) -> Iterator[Context]:
    """Open a transaction for `principal`; it commits on leaving, or rolls back on an error."""
    with services.sessions() as session:
        if reads:
            read_only(session)
        context = Context(services, principal, session, services.clock())
        yield context
        session.commit()
        for action in context.after_commit:
            action()


_bearer = HTTPBearer(auto_error=False, description="A JWT; `shieldctl token` makes one.")


def get_services(request: Request) -> Services:
    """Return the parts of the API that serves `request`."""
    services: Services = request.app.state.services
    return services


def get_principal(
    services: Annotated[Services, Depends(get_services)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Return the caller. Raises `Unauthenticated`."""
    if credentials is None:
        raise Unauthenticated(
            "This needs a token: send `Authorization: Bearer <token>`. `shieldctl token` makes one."
        )
    return services.tokens.verify(credentials.credentials)


class Allow:
    """The dependency that guards a route: roles, rate limit, and the transaction."""

    def __init__(self, *roles: Role, reads: bool = False) -> None:
        self.roles = roles
        self._reads = reads

    def __call__(
        self,
        request: Request,
        services: Annotated[Services, Depends(get_services)],
        principal: Annotated[Principal, Depends(get_principal)],
    ) -> Iterator[Context]:
        """Yield the context of one request."""
        principal.require(*self.roles)
        if not self._reads and principal.roles.isdisjoint({Role.SERVICE}):
            address = request.client.host if request.client else "unknown"
            services.limiter.check(principal.subject, address)
        with open_context(services, principal, reads=self._reads) as context:
            yield context


EVERYONE = (Role.USER, Role.REVIEWER, Role.ADMIN, Role.SERVICE)
REVIEWERS = (Role.REVIEWER, Role.ADMIN)
READERS = (Role.REVIEWER, Role.ADMIN, Role.SERVICE)
OPERATORS = (Role.ADMIN, Role.SERVICE)

# `scope="function"`: the transaction must be safe before the answer leaves, not after.
AnyRead = Annotated[Context, Depends(Allow(*EVERYONE, reads=True), scope="function")]
AnyWrite = Annotated[Context, Depends(Allow(*EVERYONE), scope="function")]
ReviewerRead = Annotated[Context, Depends(Allow(*REVIEWERS, reads=True), scope="function")]
ReviewerWrite = Annotated[Context, Depends(Allow(*REVIEWERS), scope="function")]
StaffRead = Annotated[Context, Depends(Allow(*READERS, reads=True), scope="function")]
OperatorWrite = Annotated[Context, Depends(Allow(*OPERATORS), scope="function")]
ServiceWrite = Annotated[Context, Depends(Allow(Role.SERVICE), scope="function")]
AdminWrite = Annotated[Context, Depends(Allow(Role.ADMIN), scope="function")]
ExportWrite = Annotated[Context, Depends(Allow(Role.ADMIN, Role.SERVICE), scope="function")]
AdminRead = Annotated[Context, Depends(Allow(Role.ADMIN, reads=True), scope="function")]
