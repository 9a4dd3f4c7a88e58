"""A real S3 for tests: SeaweedFS on free ports of the loopback, with its data in a directory."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shield.artifacts.settings import ArtifactSettings
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ACCESS_KEY, SECRET_KEY = "test-access", "test-secret"


class S3Server(NamedTuple):
    """A running server and how to reach it."""

    endpoint_url: str
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use this server."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "SHIELD_ARTIFACTS_ENDPOINT_URL": self.endpoint_url,
        }

    def client(self) -> "S3Client":
        """Return a plain boto3 client."""
        return _client(self.endpoint_url)

    def settings(self, **changes: object) -> ArtifactSettings:
        """Return settings that reach this server; the keys must be in the environment."""
        return ArtifactSettings.model_validate({"endpoint_url": self.endpoint_url, **changes})

    def new_bucket(self) -> str:
        """Make an empty bucket of its own for one test, and return its name."""
        name = f"test-{uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name


@contextmanager
def seaweedfs(directory: Path) -> Iterator[S3Server]:
    """Run SeaweedFS with its data in `directory`; it takes about 8 s to accept its first object."""
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "s3.json"
    key = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    config.write_text(
        json.dumps({"identities": [{"name": "test", "credentials": [key], "actions": actions}]})
    )
    names = ["master", "volume", "filer", "s3"]
    ports = free_ports(2 * len(names))
    flags = [f"-{name}.port{kind}={ports.pop()}" for name in names for kind in ("", ".grpc")]
    s3_port = next(flag for flag in flags if flag.startswith("-s3.port=")).partition("=")[2]
    with (directory / "seaweedfs.log").open("wb") as log:
        process = subprocess.Popen(
            [
                Path(sys.executable).parent / "weed",
                "-logtostderr=true",
                "server",
                f"-dir={directory}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-filer",
                "-s3",
                f"-s3.config={config}",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-master.volumeSizeLimitMB=64",
                "-volume.max=4000",
                "-master.electionTimeout=1s",
                *flags,
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(directory)},
        )
    endpoint_url = f"http://127.0.0.1:{s3_port}"
    try:
        _wait_until_it_stores(endpoint_url, process, directory / "seaweedfs.log")
        yield S3Server(endpoint_url, process)
    finally:
        process.send_signal(signal.SIGKILL)  # its orderly end takes 15 s, for data nobody wants
        process.wait()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One SeaweedFS for all tests of this process; its keys are in `os.environ` meanwhile."""
    with (
        seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server,
        pytest.MonkeyPatch.context() as env,
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            env.setenv(name, server.environment[name])
        yield server


def _client(endpoint_url: str) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=60),
    )


def _wait_until_it_stores(endpoint_url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    client = _client(endpoint_url)

    def stores() -> bool:
        try:
            client.create_bucket(Bucket="probe")
            client.put_object(Bucket="probe", Key="probe", Body=b"probe")
        except (BotoCoreError, ClientError):
            return False
        return True

    wait_until(
        stores, lambda: f"SeaweedFS did not come up: {log.read_text()[-2000:]}", process=process
    )
