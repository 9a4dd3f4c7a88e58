"""Pages of long lists."""

import pytest

from api.kit import paging
from tests.integration.api.steps import http, scan
from tests.support.api import RunningApi


def test_rows_are_counted_up_to_a_bound_and_listed_to_the_end(
    sqlite_api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 3)
    made = [scan(sqlite_api, "ann", f"hello {number}").id for number in range(5)]
    found, cursor = list[str](), ""
    with http(sqlite_api, "ann") as ann:
        while True:
            answer = ann.get(
                "/api/v2/scans", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
            )
            page = answer.json()
            assert page["pagination"]["total"] == 3
            found += [one["id"] for one in page["data"]]
            cursor = page["pagination"]["nextCursor"]
            if cursor is None:
                break
        second = ann.get("/api/v2/scans", params={"limit": 2, "page": 3}).json()["data"]
    assert found == made[::-1]
    assert [one["id"] for one in second] == [made[0]], "pages by number go as far as the rows"
