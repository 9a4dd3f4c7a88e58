"""The pages: the phone's web client at `/app`, the reviewer's dashboard at `/review`.

Admission rule of this room: HTML, sessions and browser security. What a page shows and does comes
from the same service functions as the JSON routes; nothing here queries the database.
"""

from fastapi import FastAPI

from api.pages.application import PagesRoute, create_pages
from api.pages.settings import PagesSettings

__all__ = ["PagesSettings", "mount"]


def mount(app: FastAPI, settings: PagesSettings | None = None) -> None:
    """Let `app` serve the pages beside its JSON routes.

    Args:
        app: The API; its `state.services` is shared with the pages.
        settings: Left out, they are read from the environment.

    Raises:
        Misconfigured: Settings that would let strangers in.
    """
    app.router.routes.append(PagesRoute(create_pages(app, settings or PagesSettings())))
