"""What only S3 can suffer: outages, missing buckets, wrong keys. Against a real server."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from shield.artifacts.credentials import session
from shield.artifacts.s3 import S3Store
from shield.artifacts.settings import ArtifactSettings
from shield.errors import Misconfigured, NotFound, Unavailable
from tests.support.ports import free_ports
from tests.support.s3 import S3Server, seaweedfs


def calls_of(store: S3Store, tmp_path: Path) -> list[Callable[[], object]]:
    return [
        partial(store.put, "a", b"x"),
        lambda: store.get("a"),
        lambda: store.fetch("a", tmp_path / "a"),
        lambda: store.exists("a"),
        lambda: list(store.list()),
        partial(store.delete, "a"),
    ]


def test_an_outage_is_unavailable_and_never_nothing_there(
    s3_server: S3Server, tmp_path: Path
) -> None:
    settings = ArtifactSettings(endpoint_url=f"http://127.0.0.1:{free_ports(1)[0]}", attempts=1)
    for call in calls_of(S3Store("bucket", "", settings), tmp_path):
        with pytest.raises(Unavailable, match="SHIELD_ARTIFACTS_ENDPOINT_URL"):
            call()
    assert not list(tmp_path.iterdir())


def test_a_missing_bucket_is_a_misconfiguration_and_never_a_missing_object(
    s3_server: S3Server, tmp_path: Path
) -> None:
    store = S3Store("no-such-bucket", "", s3_server.settings())
    for call in calls_of(store, tmp_path)[1:5]:
        with pytest.raises(Misconfigured, match="no bucket 'no-such-bucket'"):
            call()


def test_a_wrong_key_is_a_misconfiguration_that_names_the_rights(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    store = S3Store(s3_server.new_bucket(), "", s3_server.settings())
    for call in calls_of(store, tmp_path):
        with pytest.raises(Misconfigured, match="access key"):
            call()


def test_no_credentials_at_all_are_a_misconfiguration(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    store = S3Store("bucket", "", s3_server.settings())
    with pytest.raises(Misconfigured, match="AWS_ACCESS_KEY_ID"):
        store.get("a")


def test_keys_are_read_from_files_by_a_process_that_has_none_in_its_environment(
    s3_server: S3Server, tmp_path: Path
) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_EC2_METADATA_DISABLED": "true",
        "SHIELD_SECRETS": str(tmp_path),
        "SHIELD_ARTIFACTS_ROOT": f"s3://{s3_server.new_bucket()}",
        "SHIELD_ARTIFACTS_ENDPOINT_URL": s3_server.endpoint_url,
    }
    code = (
        "from shield.artifacts.opening import open_store; s = open_store(); "
        "s.put('a', b'held'); print(s.get('a').decode())"
    )

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert "put files of these names" in run().stderr
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (tmp_path / name).write_text(f"{s3_server.environment[name]}\n")
    assert run().stdout == "held\n"


def test_keys_that_change_in_their_files_are_taken_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
        (tmp_path / name).write_text("old")
    monkeypatch.setenv("SHIELD_SECRETS", str(tmp_path))
    # As if the minutes for which files are good had passed.
    kept = session(good_for=timedelta(seconds=1)).get_credentials()
    assert kept is not None
    assert kept.get_frozen_credentials().secret_key == "old"
    (tmp_path / "AWS_SECRET_ACCESS_KEY").write_text("new")
    assert kept.get_frozen_credentials().secret_key == "new"


def test_a_server_that_dies_is_unavailable_for_reads_and_writes(tmp_path: Path) -> None:
    with (
        pytest.MonkeyPatch.context() as environment,
        seaweedfs(tmp_path / "data") as server,
    ):
        for name, value in server.environment.items():
            environment.setenv(name, value)
        store = S3Store(server.new_bucket(), "", server.settings(attempts=1))
        store.put("kept", b"before")
        server.process.kill()
        server.process.wait()
        with pytest.raises(Unavailable):
            store.get("kept")
        with pytest.raises(Unavailable):
            store.put("new", b"lost")


def test_an_object_that_another_tool_stored_is_compared_by_its_bytes(s3_server: S3Server) -> None:
    store = S3Store(s3_server.new_bucket(), "", s3_server.settings())
    s3_server.client().put_object(Bucket=store.bucket, Key="a", Body=b"same")
    store.put("a", b"same")
    assert store.get("a") == b"same"


def test_a_missing_object_names_the_store(s3_server: S3Server) -> None:
    store = S3Store(s3_server.new_bucket(), "deep", s3_server.settings())
    with pytest.raises(NotFound, match=f"s3://{store.bucket}/deep/"):
        store.get("a")
