"""The npm package as an app gets it: built, packed, unpacked, served from an origin of its own."""

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from tempfile import gettempdir

from clients.build import PACKAGE, pack
from tests.support.http_server import Quiet, serving

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src *; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Of a page that forbids all that can be forbidden: no inline style or script, no HTML strings."""


def unpacked_client(folder: Path) -> Path:
    """Return the packed and unpacked package in an empty folder; built at most once at a time."""
    with (Path(gettempdir()) / "antispam-shield-client.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        tarball = pack(folder)
    with tarfile.open(tarball) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def example_app(folder: Path) -> Path:
    """Return a folder with the example page and the packed package, and nothing else."""
    site = folder / "site"
    shutil.copytree(PACKAGE / "example", site)
    home = site / "node_modules" / "@antispam-shield"
    home.mkdir(parents=True)
    unpacked_client(folder).rename(home / "client")
    return site


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder of files on a free port until the block ends; yields the origin."""

    class Handler(Quiet, SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Cache-Control", "no-store")
            super().end_headers()

    with serving(partial(Handler, directory=str(site))) as origin:
        yield origin
