"""Names in the paths of the client: each stays one segment, whatever it holds."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from shield import client
from shield.client import ShieldClient
from shield.errors import NotFound
from shield.labels import ModelType
from shield.wire import RunOutcome, RunUpdate
from tests.support.http_server import Quiet, serving

STRANGE = "v 1?a=b#c%2Fd;é"
QUOTED = "v%201%3Fa%3Db%23c%252Fd%3B%C3%A9"


class Records(Quiet, BaseHTTPRequestHandler):
    """Answers 404 to everything and keeps what was asked for."""

    asked: list[str]

    def answer(self) -> None:
        self.asked.append(f"{self.command} {self.path.removeprefix('/api/v2')}")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_error(404)


for method in ("GET", "POST", "PATCH"):
    setattr(Records, f"do_{method}", Records.answer)


def test_a_name_stays_one_segment_of_the_path() -> None:
    asked: list[str] = []
    with (
        serving(type("Here", (Records,), {"asked": asked})) as url,
        ShieldClient(url, "token") as api,
    ):
        for call in (
            lambda: api.version(ModelType.SMS, STRANGE),
            lambda: api.compare(ModelType.SMS, STRANGE, "v2"),
            lambda: api.taint(ModelType.SMS, STRANGE, "why"),
            lambda: api.release_batch(STRANGE, "run", "why"),
            lambda: api.undo_review(STRANGE),
            lambda: api.finish_run(STRANGE, RunUpdate(outcome=RunOutcome.FAILED)),
            lambda: api.run(STRANGE),
        ):
            with pytest.raises(NotFound):
                call()
    assert asked == [
        f"GET /models/sms/versions/{QUOTED}",
        f"GET /models/sms/versions/{QUOTED}/compare/v2",
        f"POST /models/sms/versions/{QUOTED}/taint",
        f"POST /batches/{QUOTED}/release",
        f"POST /feedback/{QUOTED}/undo",
        f"PATCH /runs/{QUOTED}",
        f"GET /runs/{QUOTED}",
    ]


@pytest.mark.parametrize("name", ["v1/compare/v2", "..", ".", ""])
def test_a_name_that_would_reach_another_route_is_refused_before_it_is_sent(name: str) -> None:
    with (
        ShieldClient("http://127.0.0.1:9", "token", repeats=False) as api,
        pytest.raises(NotFound, match="Nothing is named"),
    ):
        api.version(ModelType.SMS, name)


def test_no_path_is_made_in_another_way() -> None:
    assert client.__file__ is not None
    for path in Path(client.__file__).parent.glob("*.py"):
        assert 'f"/' not in path.read_text(), f"{path.name}: make its paths by `at`"
