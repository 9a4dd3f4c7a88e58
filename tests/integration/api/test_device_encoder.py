"""The encoder of a version, as the API hands it out to phones."""

import gzip
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from api.device.encoder import packed
from shield.labels import ModelType
from shield.packages import push
from tests.integration.api.conftest import wait_for_split
from tests.integration.api.test_device import phone, released
from tests.support.api import RunningApi, running_api
from tests.support.arms import model_server
from tests.support.judge import make_stable, version_with_judge
from tests.support.packages import SignedPackage

NAMES = ["linear.safetensors", "model.int8.onnx", "samples.json", "tokenizer.json"]


@pytest.fixture
def api(tmp_path: Path, encoder_version: SignedPackage) -> Iterator[RunningApi]:
    """An API whose stable SMS version is `encoder_version`."""
    with ExitStack() as stack:
        running = stack.enter_context(running_api(tmp_path / "api"))
        url = stack.enter_context(model_server(ModelType.SMS))
        push(running.services.artifacts, encoder_version.package.path)
        make_stable(running.services.rollouts, "sms-v1", encoder_version.package, url=url)
        wait_for_split(running)
        yield running


def offered(client: httpx.Client, digest: str) -> dict[str, int]:
    """Return the size of each file that a phone may load."""
    answer = client.get(f"/text/encoder/{digest.removeprefix('sha256:')}")
    assert answer.status_code == 200, answer.text
    return {file["name"]: file["bytes"] for file in answer.json()["data"]["files"]}


def test_a_phone_loads_what_the_signed_manifest_names_in_parts_if_need_be(
    api: RunningApi, encoder_version: SignedPackage
) -> None:
    hexadecimal = encoder_version.package.digest.removeprefix("sha256:")
    with phone(api) as client:
        assert client.get(f"/text/encoder/{hexadecimal}").status_code == 404, "not released yet"
        released(client)
        sizes = offered(client, encoder_version.package.digest)
        assert sorted(sizes) == NAMES
        for name, size in sizes.items():
            path = f"/text/encoder/{hexadecimal}/{name}"
            whole = client.get(path)
            assert (whole.status_code, len(whole.content)) == (200, size)
            raw = gzip.decompress(whole.content)
            assert hashlib.sha256(raw).hexdigest() == encoder_version.package.manifest.files[name]
            assert "immutable" in whole.headers["Cache-Control"]
            tag = whole.headers["ETag"]
            assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
            part = client.get(path, headers={"Range": "bytes=100-", "If-Range": tag})
            assert (part.status_code, part.content) == (206, whole.content[100:])
            other = client.get(path, headers={"Range": "bytes=100-", "If-Range": '"other"'})
            assert (other.status_code, other.content) == (200, whole.content)
        past = client.get(path, headers={"Range": "bytes=99999999-"})
        assert past.status_code == 416
        for name in ("model.onnx", "config.json", "manifest.json"):
            assert client.get(f"/text/encoder/{hexadecimal}/{name}").status_code == 404
        assert client.get(f"/voice/encoder/{hexadecimal}").status_code == 404
    assert httpx.get(f"{api.url}/api/v2/device{path}", trust_env=False).status_code == 401


def test_a_file_that_is_not_the_signed_one_is_not_handed_out(
    api: RunningApi, encoder_version: SignedPackage
) -> None:
    with phone(api) as client:
        released(client)
        store, package = api.services.artifacts, encoder_version.package
        packed(f"{package.manifest.files['tokenizer.json']}.gz").unlink(missing_ok=True)
        key = next(each for each in store.list() if each.endswith("/tokenizer.json"))
        store.put(key, package.read("tokenizer.json") + b" ", overwrite=True)
        answer = client.get(f"/text/encoder/{package.digest.removeprefix('sha256:')}")
        assert answer.status_code >= 500
        assert "tokenizer.json" in answer.json()["message"]


def test_a_folder_of_somebody_else_is_not_written_to(
    tmp_path: Path, api: RunningApi, encoder_version: SignedPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    packed("name").parent.symlink_to(others)
    with phone(api) as client:
        released(client)
        answer = client.get(
            f"/text/encoder/{encoder_version.package.digest.removeprefix('sha256:')}"
        )
        assert answer.status_code == 500
        assert "TMPDIR" in answer.json()["message"]
    assert list(others.iterdir()) == []


def test_nothing_is_offered_where_it_is_switched_off_or_missing(
    tmp_path: Path, api: RunningApi, encoder_version: SignedPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = encoder_version.package.digest.removeprefix("sha256:")
    with phone(api) as client:
        released(client)
        assert offered(client, digest)
        monkeypatch.setattr(api.services.settings, "device_encoder", False)
        assert offered(client, digest) == {}
        assert client.get(f"/text/encoder/{digest}/tokenizer.json").status_code == 404
        monkeypatch.undo()
        linear = version_with_judge(tmp_path / "linear").package
        push(api.services.artifacts, linear.path)
        make_stable(api.services.rollouts, "sms-v2", linear)
        wait_for_split(api)
        statement, _ = released(client)
        if statement["package"] == linear.digest:
            assert offered(client, linear.digest) == {}
