"""A real Dex, the OpenID provider that Kubeflow brings, built from its Go module.

The module proxy serves no release of Dex by its number, and its newest code is that of September
2021 (between 2.30 and 2.31). `ensure_dex` builds it once per machine, into a cache outside the
working tree that is named by what it is built from; `running_dex` starts it with people of its own.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from html import unescape
from pathlib import Path
from re import search
from urllib.parse import urljoin

import httpx

from tests.support.controlplane.binaries import go
from tests.support.waiting import PATIENCE_SECONDS

HERE = Path(__file__).parent
FILES = ("go.mod", "go.sum", "main.go")
CLIENT_ID = "dashboard"
CLIENT_SECRET = "known-to-both-and-long-enough"
PASSWORD = "of-everybody-here"


def ensure_dex() -> Path:
    """Return the program, building it if it is not there: half a minute on two idle cores.

    Raises:
        RuntimeError: The build failed; the message ends with what Go said.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    folder = home / "antispam-shield" / "programs" / f"dex-{digest[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)  # another process may be building it; then it is there afterwards
        if not (folder / "dex").exists():
            print(f"Building Dex into {folder} ...", file=sys.stderr, flush=True)
            done = subprocess.run(
                [*go(), "build", "-trimpath", "-ldflags", "-s -w", "-o", folder / "dex.part", "."],
                cwd=HERE,
                env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise RuntimeError(f"Dex could not be built:\n{done.stderr[-2000:]}")
            (folder / "dex.part").rename(folder / "dex")
    return folder / "dex"


@contextmanager
def running_dex(people: Mapping[str, str], redirect_uri: str, port: int) -> Iterator[None]:
    """Run Dex until the block ends; `people` are names by mail address, with one password."""
    told = {
        "port": port,
        "client": CLIENT_ID,
        "secret": CLIENT_SECRET,
        "redirect": redirect_uri,
        "people": dict(people),
        "password": PASSWORD,
    }
    process = subprocess.Popen(
        [ensure_dex()],
        env=os.environ | {"DEX": json.dumps(told)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        if "ready" not in process.stdout.readline():
            raise RuntimeError(f"Dex did not start:\n{process.stderr.read()}")
        yield
    finally:
        process.kill()
        process.communicate()


def discovery_url(port: int) -> str:
    """Return where clients learn of everything else."""
    return f"http://127.0.0.1:{port}/dex/.well-known/openid-configuration"


def sign_in(browser: httpx.Client, start: str, mail: str, password: str) -> httpx.Response:
    """Go through Dex's pages as a person does: mail address and password, "Grant Access", back."""
    page = browser.get(start, follow_redirects=True, timeout=PATIENCE_SECONDS)
    form = search(r'<form method="post" action="([^"]+)"', page.text)
    assert form is not None, page.text
    target = urljoin(str(page.url), unescape(form[1]))
    said = {"login": mail, "password": password}
    page = browser.post(target, data=said, follow_redirects=True, timeout=PATIENCE_SECONDS)
    asked = search(r'name="req" value="([^"]+)"', page.text)
    if asked is None:
        return page
    granted = {"req": unescape(asked[1]), "approval": "approve"}
    target = str(page.url)
    return browser.post(target, data=granted, follow_redirects=True, timeout=PATIENCE_SECONDS)
