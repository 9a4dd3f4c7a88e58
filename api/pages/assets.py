"""Built scripts, styles and icons: logical names in templates, hashed names in URLs."""

import json
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api.pages.packing import TEXTS, packed_file
from shield.errors import NotFound, Unavailable

BUILT = Path(__file__).parent / "static" / "build"

# A name carries the hash of its content, so what it names never changes.
FOREVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".png": "image/png", ".gz": "application/gzip"}
"""Of what is compressed already."""


class Assets:
    """The output of `python -m api.pages.build`; read again after a new build."""

    def __init__(self, folder: Path = BUILT) -> None:
        self.folder = folder
        self._read_at: int | None = None
        self._names: dict[str, str] = {}

    def names(self) -> dict[str, str]:
        """Return logical name -> hashed file name.

        Raises:
            Unavailable: There is no build.
        """
        manifest = self.folder / "manifest.json"
        try:
            changed = manifest.stat().st_mtime_ns
            if changed != self._read_at:
                self._names = json.loads(manifest.read_text())
                self._read_at = changed
        except OSError as fault:
            raise Unavailable(
                "The scripts and styles of the pages are not built. Run `make assets` once, then "
                "reload."
            ) from fault
        return self._names

    def url(self, name: str) -> str:
        """Return the URL of an asset by its logical name."""
        return f"/assets/{self.names()[name]}"

    def worker(self) -> Path:
        """Return the service worker; its name is not hashed, because its URL is its identity."""
        self.names()
        return self.folder / "worker.js"


class AssetFiles(BaseRoute):
    """Serves `/assets/<hashed name>`, only files that the manifest lists."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match requests for an asset."""
        ours = scope["type"] == "http" and scope["path"].startswith("/assets/")
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file."""
        name = scope["path"].removeprefix("/assets/")
        if name not in self._assets.names().values():
            raise NotFound(
                f"There is no asset {name!r}. Reload the page: a newer build replaced it."
            )
        file, kept = self._assets.folder / name, {"Cache-Control": FOREVER}
        response: Response
        if file.suffix in TEXTS:
            response = packed_file(file, Headers(scope=scope), **kept)
        else:
            response = FileResponse(file, media_type=MEDIA_TYPES[file.suffix], headers=kept)
        await response(scope, receive, send)
