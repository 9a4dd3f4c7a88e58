"""Each check of `shieldctl doctor`, where what it looks at is well and where it is not.

A new check must be tried in its failing state, too: the last test looks for it.
"""

import importlib.util
import json
import os
import re
import socket
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from cli.doctor import Finding, State, Subject, findings
from cli.home import LAYOUT, Home
from shield.errors import Misconfigured
from tests.support.http_server import Quiet, serving


def look(root: Path, server: str | None = None, token: str | Exception = "none") -> list[Finding]:
    def given() -> str:
        if isinstance(token, Exception):
            raise token
        return token

    return list(findings(Subject(root, server, given)))


def found(results: list[Finding], check: str) -> Finding:
    (one,) = [each for each in results if each.check == check]
    return one


def ill(results: list[Finding], check: str, state: State = State.BAD) -> Finding:
    """Return a finding that must be ill and name a cure."""
    one = found(results, check)
    assert one.state is state, one
    assert one.cure, one
    return one


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.open(tmp_path / "home")
    made.make_keys()
    return made


def test_all_is_well_with_a_fresh_data_directory(home: Home) -> None:
    states = {one.check: one.state for one in look(home.root)}
    assert states["data directory"] is states["keys"] is states["versions"] is State.GOOD
    assert State.BAD not in states.values()


def test_a_python_that_is_too_new(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.doctor.sys.version_info", (3, 14, 0))
    assert "3.11 or 3.12" in ill(look(home.root), "versions").cure


def test_a_part_that_is_not_installed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        "cli.doctor.importlib.util.find_spec",
        lambda name: None if name in ("torch", "kopf") else there(name),
    )
    parts = [one for one in look(home.root) if one.check == "installed"]
    assert [one.state for one in parts] == [State.NOTE] * 2
    assert "operator" in parts[0].found
    assert "antispam-shield[operator]" in parts[0].cure
    assert "torch" in parts[1].found


def test_a_data_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    told = ill(look(tmp_path / "deep" / "home"), "data directory", State.NOTE)
    assert "shieldctl up" in told.cure
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize(
    ("stamp", "said"), [(f"{LAYOUT + 1}\n", "has layout"), (None, "no VERSION")]
)
def test_a_data_directory_of_another_version(home: Home, stamp: str | None, said: str) -> None:
    (home.root / "VERSION").unlink()
    if stamp is not None:
        (home.root / "VERSION").write_text(stamp)
    told = ill(look(home.root), "data directory")
    assert said in told.found
    assert "--data-dir" in told.cure


def test_an_empty_directory_will_do_and_a_file_will_not(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert found(look(tmp_path / "new"), "data directory").state is State.GOOD
    (tmp_path / "file").touch()
    told = ill(look(tmp_path / "file"), "data directory")
    assert told.found.endswith("is a file")
    for name in ("new", "file"):  # as the other commands say
        with pytest.raises(Misconfigured) if name == "file" else nullcontext():
            Home.open(tmp_path / name)


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Let nobody write into a folder, not even root, who minds no rights: its name is too long."""
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)
        return
    with pytest.MonkeyPatch.context() as patch:
        real = tempfile.NamedTemporaryFile

        def refused(*, dir: Path, prefix: str) -> object:
            if Path(dir) == folder:
                raise PermissionError(13, "Permission denied")
            return real(dir=dir, prefix=prefix)

        patch.setattr("cli.doctor.tempfile.NamedTemporaryFile", refused)
        yield


def test_a_data_directory_that_cannot_be_written(home: Home) -> None:
    with unwritable(home.root):
        told = ill(look(home.root), "data directory")
    assert "Permission denied" in told.found
    assert f"chown -R {os.getuid()} {home.root}" in told.cure


def test_no_room_for_a_data_directory_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.doctor.os.access", lambda path, mode: False)
    told = ill(look(tmp_path / "home"), "data directory")
    assert f"{tmp_path} cannot be written" in told.found


def test_a_cache_that_cannot_be_written(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("SHIELD_CACHE", str(cache))
    assert found(look(home.root), "cache").state is State.GOOD
    with unwritable(cache):
        assert "SHIELD_CACHE" in ill(look(home.root), "cache").cure


def test_a_disk_that_is_nearly_full(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("cli.doctor.shutil.disk_usage", lambda path: usage(10**12, 10**12, 2**30))
    told = ill(look(home.root), "disk", State.NOTE)
    assert "1.0 GiB" in told.found
    assert "make room" in told.cure


def test_keys_that_others_can_read(home: Home) -> None:
    home.signing_key.chmod(0o640)
    told = ill(look(home.root), "keys")
    assert home.signing_key.name in told.found
    assert "chmod 600" in told.cure


def test_a_port_that_is_taken(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr("cli.doctor.PORT", taken.getsockname()[1])
        assert "--port 0" in ill(look(home.root), "port", State.NOTE).cure
        home.announce("http://127.0.0.1:1")
        assert found(look(home.root), "port").state is State.GOOD, "it is ours"
    assert "is free" in found(look(home.root), "port").found


def test_services_that_do_not_run_or_do_not_answer(home: Home) -> None:
    assert "shieldctl up" in ill(look(home.root), "services", State.NOTE).cure
    told = ill(look(home.root, "http://127.0.0.1:1"), "services")
    assert "does not answer" in told.found
    assert str(home.logs) in told.cure


@contextmanager
def api(
    *, live: int = 200, ready: int = 200, ahead: timedelta = timedelta(), detail: str = ""
) -> Iterator[str]:
    """Serve what an API tells of its health, with a clock of its own."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = {"/healthz": live, "/readyz": ready}.get(self.path, 401)
            body = json.dumps({"detail": detail}).encode()
            self.send_response_only(status)
            self.send_header("Date", format_datetime(datetime.now(UTC) + ahead, usegmt=True))
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        yield url


def test_an_address_where_something_else_answers(home: Home) -> None:
    with api(live=404) as url:
        told = ill(look(home.root, url), "services")
    assert "no API of ours" in told.found
    assert "--api-url" in told.cure


def test_services_that_are_not_ready_say_why(home: Home) -> None:
    with api(
        ready=503, detail="The database has no schema yet. Run `shieldctl db migrate`."
    ) as url:
        assert ill(look(home.root, url), "services").cure.startswith("The database has no schema")


@pytest.mark.parametrize(("ahead", "said"), [(90, "behind"), (-90, "ahead of")])
def test_a_clock_that_is_wrong(home: Home, ahead: int, said: str) -> None:
    with api(ahead=timedelta(seconds=ahead)) as url:
        told = ill(look(home.root, url), "clock")
    assert said in told.found
    assert "NTP" in told.cure


def test_a_token_that_is_refused_or_missing(home: Home) -> None:
    with api() as url:
        refused = ill(look(home.root, url, "nonsense"), "token")
        assert found(look(home.root, url), "clock").state is State.GOOD
        missing = ill(look(home.root, url, Misconfigured("Give one with --token.")), "token")
    assert "refuses" in refused.found
    assert missing.cure == "Give one with --token."


def test_no_tools_of_a_cluster(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.doctor.shutil.which", lambda name: None)
    assert "cluster" in ill(look(home.root), "tools", State.NOTE).cure


def test_every_check_is_tried_here_in_its_failing_state(home: Home) -> None:
    tried = set(re.findall(r'ill\(look\(.*\), "([a-z ]+)"', Path(__file__).read_text()))
    with api() as url:
        checks = {one.check for one in look(home.root, url)}
    assert checks == tried | {"installed"}, "try the new check where its subject is not well"
