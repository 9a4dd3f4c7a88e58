"""The root's scheme picks the store."""

from pathlib import Path

import pytest

from shield.artifacts.directory import DirectoryStore
from shield.artifacts.opening import open_store
from shield.artifacts.s3 import S3Store
from shield.artifacts.settings import ArtifactSettings
from shield.errors import Misconfigured


def test_a_path_or_a_file_url_is_a_directory(tmp_path: Path) -> None:
    for root in (tmp_path, str(tmp_path), f"file://{tmp_path}"):
        store = open_store(root)
        assert isinstance(store, DirectoryStore)
        assert store.root == tmp_path


def test_an_s3_root_is_a_bucket_and_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIELD_ARTIFACTS_ROOT", "s3://bucket/deep/er/")
    store = open_store()
    assert isinstance(store, S3Store)
    assert (store.bucket, store.prefix) == ("bucket", "deep/er/")


@pytest.mark.parametrize("root", ["gs://bucket/x", "s3://", "http://minio:9000/bucket"])
def test_another_scheme_is_a_misconfiguration_that_names_the_setting(root: str) -> None:
    with pytest.raises(Misconfigured, match="SHIELD_ARTIFACTS_ROOT"):
        open_store(root, ArtifactSettings())
