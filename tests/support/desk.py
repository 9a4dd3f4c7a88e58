"""Signing in at the reviewers' pages, without a browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS


def form_token(page: httpx.Response) -> str:
    """Return what a form of the page must send back."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found, page.text[:500]
    return found[1]


@contextmanager
def signed_in(api: RunningApi, *roles: str) -> Iterator[httpx.Client]:
    """Open a client with a session of Rita, by default a reviewer."""
    with httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS) as browser:
        token = api.token("rita", *(roles or ("reviewer",)))
        form = {"csrf": form_token(browser.get("/login")), "token": token}
        answer = browser.post("/login", data=form)
        assert answer.status_code == 303, answer.text
        yield browser
