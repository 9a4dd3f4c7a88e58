"""FastAPI dependencies of page routes: the signed-in visitor and checks of forms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Form, Header, Request

from api.kit.auth import Principal
from api.kit.context import Context, Services, get_services, open_context
from api.kit.tokens import Role
from api.pages.sessions import Sessions, Visit
from api.pages.settings import PagesSettings
from shield.errors import Forbidden, Unauthenticated


@dataclass(frozen=True)
class Visitor:
    """A signed-in user of the pages."""

    principal: Principal
    form_token: str
    visit: Visit

    @property
    def is_admin(self) -> bool:
        """Return whether the visitor may change rollouts."""
        return Role.ADMIN in self.principal.roles


def wants_fragment(request: Request) -> bool:
    """Return whether a script requests a fragment instead of the whole page."""
    return request.headers.get("x-fragment") == "1"


def sign_in_url(request: Request) -> str:
    """Return the URL of the sign-in page, with the requested page to return to."""
    next_url = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(next_url)}"


def safe_next(next_url: str | None) -> str:
    """Return a path of this server to open after the sign-in; other URLs become `/review`."""
    parts = urlsplit(next_url or "")
    # "//host" and "/\host" are other servers to a browser.
    local = (next_url or "").startswith("/") and not (next_url or "").startswith(("//", "/\\"))
    if not local or parts.netloc or parts.scheme:
        return "/review"
    return next_url or "/review"


def named_by_proxy(request: Request, settings: PagesSettings) -> Principal | None:
    """Return the user named by the authenticating proxy, or `None` without a trusted one."""
    if settings.trusted_header is None:
        return None
    name = request.headers.get(settings.trusted_header, "").strip()
    address = request.client.host if request.client else None
    if not 0 < len(name) <= 128 or not settings.trusts(address):
        return None
    return Principal(name, frozenset(Role(role) for role in settings.roles_of({name})))


def get_visit(
    request: Request, services: Annotated[Services, Depends(get_services)]
) -> Visit | None:
    """Return the browser's session, or `None`."""
    sessions: Sessions = request.app.state.page_sessions
    visit = sessions.read(request, services.clock())
    named = named_by_proxy(request, request.app.state.pages_settings)
    if named is None:
        return visit
    # The proxy answers for each request. Forms are bound to the person it names, cookie or not.
    return Visit(f"proxy {named.subject}", named, 0.0)


def get_visitor(request: Request, visit: Annotated[Visit | None, Depends(get_visit)]) -> Visitor:
    """Return the signed-in visitor.

    Raises:
        Unauthenticated: Nobody is signed in.
        Forbidden: The user may not review.
    """
    if visit is None or visit.principal is None:
        raise Unauthenticated("Sign in first.")
    visit.principal.require(Role.REVIEWER, Role.ADMIN)
    sessions: Sessions = request.app.state.page_sessions
    return Visitor(visit.principal, sessions.form_token(visit), visit)


def check_form(
    request: Request,
    visit: Annotated[Visit | None, Depends(get_visit)],
    csrf: Annotated[str, Form()] = "",
    x_csrf_token: Annotated[str, Header()] = "",
) -> None:
    """Check that a form was sent by a page of this session.

    Raises:
        Forbidden: It was not. `reload` tells the scripts that a fresh page would be accepted.
    """
    sessions: Sessions = request.app.state.page_sessions
    cross = request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
    if cross or visit is None or not sessions.holds(visit, csrf or x_csrf_token):
        raise Forbidden(
            "This form is too old, or did not come from here. Reload the page and try again.",
            reload=not cross,
        )


CheckedForm = Depends(check_form)
"""For `dependencies=[...]` of every route that changes something."""


def _reading(
    services: Annotated[Services, Depends(get_services)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
) -> Iterator[Context]:
    with open_context(services, visitor.principal, reads=True) as context:
        yield context


def _writing(
    request: Request,
    services: Annotated[Services, Depends(get_services)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
) -> Iterator[Context]:
    services.limiter.check(visitor.principal.subject, services.limiter.address(request))
    with open_context(services, visitor.principal) as context:
        yield context


Who = Annotated[Visitor, Depends(get_visitor)]
# `scope="function"`: the transaction must be safe before the answer leaves, not after.
Reading = Annotated[Context, Depends(_reading, scope="function")]
Writing = Annotated[Context, Depends(_writing, scope="function")]
