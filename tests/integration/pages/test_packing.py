"""What of the pages is compressed on its way, and what is not."""

from collections.abc import Iterator

import httpx
import pytest

from api.pages.assets import Assets
from tests.support.api import RunningApi, running_api
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """Return a running API."""
    with running_api(tmp_path_factory.mktemp("packing")) as running:
        yield running


def get(api: RunningApi, path: str, encoding: str) -> httpx.Response:
    headers = {"Accept-Encoding": encoding}
    return httpx.get(f"{api.url}{path}", headers=headers, timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize(
    "name", ["app.js", "style.css", "words-ar.json", "icon.svg", "/app/worker.js", "/app"]
)
def test_what_everybody_may_read_arrives_compressed(api: RunningApi, name: str) -> None:
    path = name if name.startswith("/") else Assets().url(name)
    small, plain = get(api, path, "gzip, br"), get(api, path, "identity")
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert small.content == plain.content, "httpx has unpacked it"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"])
    for header in ("content-type", "cache-control", "content-security-policy", "vary"):
        assert small.headers[header] == plain.headers[header]
    assert "Accept-Encoding" in small.headers["vary"]


@pytest.mark.parametrize("path", ["/login", "/login?next=/app", "/contest"])
def test_a_page_with_a_form_s_secret_tells_nothing_by_its_size(api: RunningApi, path: str) -> None:
    assert "content-encoding" not in get(api, path, "gzip").headers


def test_pictures_and_archives_are_not_compressed_twice(api: RunningApi) -> None:
    for name in ("icon-192.png", "encoder-engine.gz"):
        assert "content-encoding" not in get(api, Assets().url(name), "gzip").headers
