"""Jinja2 environment: escaping always on, undefined names are errors, a few filters."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.pages import formats
from api.pages.assets import Assets
from api.pages.words import Words
from shield.labels import MODEL_TYPES, is_scam

FOLDER = Path(__file__).parent / "templates"


class Templates:
    """Renders pages."""

    def __init__(self, assets: Assets) -> None:
        self.words = Words(assets)
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "asset": assets.url,
            "icon": _icon,
            "model_types": MODEL_TYPES,
        }
        self._environment.tests["scam"] = is_scam
        for name in formats.FILTERS:
            self._environment.filters[name] = getattr(formats, name)

    def page(self, request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Render the template `name` as a response."""
        values = {"visitor": None, "now": datetime.now(UTC), **values}
        values.setdefault("spoken", self.words.asked_by(request))
        html = self._environment.get_template(name).render(path=request.url.path, **values)
        return HTMLResponse(html, status)


def _icon(name: str) -> Markup:
    # Decorative: the words beside it carry the meaning.
    return Markup('<svg class="icon" aria-hidden="true"><use href="#icon-{}"></use></svg>').format(
        name
    )
