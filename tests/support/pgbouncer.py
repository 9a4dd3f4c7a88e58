"""A real PgBouncer in transaction mode: Debian's, unpacked without being installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from tests.support.cache import made_once
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

_PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
_SETTINGS = """[databases]
{name} = host={host} dbname={name} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pgbouncer(database_url: str) -> Iterator[str]:
    """Pool the connections to a database by transaction, three at most; yield the pooler's URL."""
    program, libraries = _program()
    url = make_url(database_url)
    (port,) = free_ports(1)
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    folder.chmod(0o755)  # as root it becomes another user, and reads its settings again
    settings = folder / "pgbouncer.ini"
    host = url.query.get("host") or url.host
    settings.write_text(
        _SETTINGS.format(name=url.database, host=host, user=url.username, port=port)
    )
    # It does not run as root; whose the socket's folder is may connect there.
    owner = Path(str(host)).owner()
    user = ["-u", owner] if os.geteuid() == 0 else []
    command = [program, "-q", *user, str(settings)]
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        pooled = url.set(host="127.0.0.1", port=port, query={}).render_as_string(
            hide_password=False
        )
        try:
            wait_until(lambda: _answers(pooled), process=process, seconds=30)
            yield pooled
        finally:
            process.terminate()
    shutil.rmtree(folder, ignore_errors=True)


def _program() -> tuple[str, str]:
    """Return the program and where its libraries are; skips a test where it cannot be had."""
    installed = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if installed:
        return installed, os.environ.get("LD_LIBRARY_PATH", "")
    if shutil.which("apt-get") is None:
        pytest.skip("PgBouncer is neither installed nor to be had from Debian's packages")
    root = made_once("pgbouncer", ["tests/support/pgbouncer.py"], _unpack)
    (libraries,) = {str(path.parent) for path in root.glob("usr/lib/*/libcares.so.2")}
    return str(root / "usr/sbin/pgbouncer"), libraries


def _unpack(folder: Path) -> None:
    download = ["apt-get", "download", *_PACKAGES]
    if subprocess.run(download, cwd=folder, capture_output=True, check=False).returncode:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(download, cwd=folder, check=True)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)
        package.unlink()


def _answers(url: str) -> bool:
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            return bool(connection.scalar(text("SELECT 1")) == 1)
    except OperationalError:
        return False
    finally:
        engine.dispose()
