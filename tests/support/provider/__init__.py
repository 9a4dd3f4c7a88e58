"""A real OpenID provider for the tests: the certified implementation of npm's `oidc-provider`.

`ensure_provider` installs it once per machine, into a cache outside the working tree that is named
by its lock file; `running_provider` starts it on a free port, with its own pages for signing in.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from html import unescape
from pathlib import Path
from re import findall, search
from typing import Any
from urllib.parse import urljoin

import httpx

from api.pages.build import node_folder, npm
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE_SECONDS

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", ".npmrc", "provider.mjs")
CLIENT_ID = "dashboard"
CLIENT_SECRET = "known-to-both-and-long-enough"


@dataclass(frozen=True)
class Provider:
    """A running provider."""

    url: str

    @property
    def discovery_url(self) -> str:
        """Where clients learn of everything else."""
        return f"{self.url}/.well-known/openid-configuration"


def ensure_provider() -> Path:
    """Return the folder of the installed provider; install it where it is missing.

    Raises:
        RuntimeError: npm failed; the message ends with what it said.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    folder = home / "antispam-shield" / "provider" / digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (folder / "ready").exists():
            print(f"Installing an OpenID provider into {folder} ...", file=sys.stderr, flush=True)
            for name in FILES:
                shutil.copy(HERE / name, folder / name)
            node = node_folder()
            environment = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
            done = subprocess.run(
                npm(node, "ci", "--loglevel=error"),
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise RuntimeError(f"npm could not install oidc-provider:\n{done.stderr[-2000:]}")
            (folder / "ready").touch()
    return folder


@contextmanager
def running_provider(
    people: dict[str, dict[str, Any]], redirect_uri: str, port: int | None = None
) -> Iterator[Provider]:
    """Run the provider until the block ends; `people` are claims by login name."""
    folder = ensure_provider()
    port = port or free_ports(1)[0]
    client = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [redirect_uri],
    }
    told = json.dumps({"port": port, "client": client, "people": people})
    process = subprocess.Popen(
        [node_folder() / "node", "provider.mjs"],
        cwd=folder,
        env=os.environ | {"PROVIDER": told},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        if "ready" not in process.stdout.readline():
            raise RuntimeError(f"The OpenID provider did not start:\n{process.stderr.read()}")
        yield Provider(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.communicate()


def sign_in(browser: httpx.Client, start: str, login: str) -> httpx.Response:
    """Go through the provider's pages as a person does: name, password, consent, and back."""
    page = browser.get(start, follow_redirects=True, timeout=PATIENCE_SECONDS)
    for _ in range(3):
        form = search(r'<form[^>]*action="([^"]+)"', page.text)
        if form is None or "/interaction/" not in form[1]:
            return page
        fields = dict(findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        if 'name="login"' in page.text:
            fields |= {"login": login, "password": "of no matter"}
        target = urljoin(str(page.url), unescape(form[1]))
        page = browser.post(target, data=fields, follow_redirects=True, timeout=PATIENCE_SECONDS)
    return page
