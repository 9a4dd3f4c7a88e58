"""Signing in, staying signed in, and what a form needs, over HTTP."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from api.pages import login, oidc, phone
from api.pages.desk import audit, duties, known, models, queue, queues, rollouts, runs, statistics
from api.pages.headers import ALWAYS
from tests.browser.world import report
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.desk import form_token, signed_in
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """Return a running API in embedded mode."""
    with (
        model_server() as arm,
        running_api(
            tmp_path, embedded=True, prepare=lambda services: deploy(services.rollouts, arm)
        ) as running,
    ):
        yield running


def test_without_a_sign_in_every_page_leads_to_it_and_back(api: RunningApi) -> None:
    answer = httpx.get(f"{api.url}/review/models?model=sms", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/review/models%3Fmodel%3Dsms"


def test_a_token_signs_in_and_the_cookie_is_out_of_reach_of_scripts(api: RunningApi) -> None:
    browser = httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS)
    form = {
        "csrf": form_token(browser.get("/login")),
        "token": api.token("rita", "reviewer"),
        "next": "/review/runs",
    }
    answer = browser.post("/login", data=form)
    assert answer.headers["location"] == "/review/runs"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert api.token("rita", "reviewer") not in answer.headers["set-cookie"]
    assert browser.get("/review").status_code == 200


def test_a_plain_user_may_not_review(api: RunningApi) -> None:
    browser = httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS)
    form = {"csrf": form_token(browser.get("/login")), "token": api.token("eve")}
    answer = browser.post("/login", data=form)
    assert answer.status_code == 403
    assert "needs the role reviewer" in answer.text
    assert browser.get("/review").status_code == 303


def test_a_bad_token_is_refused_with_a_sentence(api: RunningApi) -> None:
    browser = httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS)
    form = {"csrf": form_token(browser.get("/login")), "token": "nonsense"}
    answer = browser.post("/login", data=form)
    assert answer.status_code == 401
    assert "The token is refused" in answer.text


def test_a_token_does_not_sign_in_outside_embedded_mode(tmp_path: Path) -> None:
    with running_api(tmp_path) as api:
        page = httpx.get(f"{api.url}/login", timeout=PATIENCE_SECONDS)
        assert 'name="token"' not in page.text
        browser = httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS)
        browser.get("/login")
        answer = browser.post("/login", data={"token": api.token("rita", "reviewer")})
        assert answer.status_code == 403


def test_a_session_ends_with_the_token_it_was_made_with(api: RunningApi) -> None:
    with signed_in(api) as browser:
        assert browser.get("/review").status_code == 200
        api.clock.move_on(12 * 3600 + 1)
        assert browser.get("/review").status_code == 303


def test_a_changed_cookie_is_no_session(api: RunningApi) -> None:
    with signed_in(api) as browser:
        value = browser.cookies["shield_session"]
        swapped = value[:-4] + ("AAAA" if value[-4:] != "AAAA" else "BBBB")
        answer = httpx.get(
            f"{api.url}/review", cookies={"shield_session": swapped}, timeout=PATIENCE_SECONDS
        )
    assert answer.status_code == 303


def test_signing_out_ends_the_session(api: RunningApi) -> None:
    with signed_in(api) as browser:
        token = form_token(browser.get("/review"))
        assert browser.post("/logout", data={"csrf": token}).headers["location"] == "/login"
        assert browser.get("/review").status_code == 303


FORMS = [
    "/logout",
    "/review/items/x/decision",
    "/review/items/x/undo",
    "/review/items/x/claim",
    "/review/items/x/assign",
    "/review/items/x/mute",
    "/review/muted/x/unmute",
    "/review/views",
    "/review/views/x/remove",
    "/review/queues",
    "/review/queues/x/remove",
    "/review/known/x/undo",
    "/review/rollouts/sms/undo",
    "/review/rollouts/sms/pause",
    "/review/models/sms/sms-v1/rollout",
    "/review/models/sms/sms-v1/taint",
    "/app/code",
    "/app/connect",
]


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_form_without_the_token_of_its_session_changes_nothing(
    api: RunningApi, token: str
) -> None:
    form = {"csrf": token, "action": "scam", "reason": "because", "name": "mine"}
    with signed_in(api, "reviewer", "admin") as browser:
        answers = {path: browser.post(path, data=form) for path in FORMS}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        FORMS, 403
    )
    assert all("did not come from here" in answer.text for answer in answers.values())


def test_every_form_of_the_pages_is_among_them(api: RunningApi) -> None:
    # A new POST route must be tried above: it is found here by the routes themselves.
    desk = (audit, duties, known, models, queue, queues, rollouts, runs, statistics)
    rooms = (login, oidc, phone, *desk)
    routes = [route for room in rooms for route in room.router.routes]
    posts = {
        route.path
        for route in routes
        if isinstance(route, APIRoute) and route.methods and "POST" in route.methods
    }
    tried = {path.replace("/known/x/", "/known/{known_id}/") for path in FORMS} | {"/login"}
    tried = {path.replace("/muted/x/", "/muted/{pseudonym}/") for path in tried}
    tried = {path.replace("/views/x/", "/views/{view_id}/") for path in tried}
    tried = {path.replace("/queues/x/", "/queues/{name}/") for path in tried}
    tried = {path.replace("/x/", "/{feedback_id}/") for path in tried}
    tried = {
        re.sub(r"/rollouts/sms/\w+", "/rollouts/{model_type}/{action}", path) for path in tried
    }
    # What is shared comes from another app, so it carries no form token; it changes nothing. And a
    # phone is paired by JSON, with a code that is good once and that no other page knows.
    assert posts - {"/app/share", "/app/pair"} == {
        path.replace("/sms/sms-v1/", "/{model_type}/{name}/") for path in tried
    }


def test_what_is_shared_without_the_worker_leads_to_the_app_and_is_not_kept(
    api: RunningApi,
) -> None:
    answer = httpx.post(
        f"{api.url}/app/share",
        files={"text": (None, "a private message")},
        timeout=PATIENCE_SECONDS,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/app")


def test_a_form_of_another_site_is_refused_even_with_the_right_token(api: RunningApi) -> None:
    with signed_in(api) as browser:
        form = {"csrf": form_token(browser.get("/review"))}
        answer = browser.post("/logout", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_the_form_token_of_one_session_does_not_fit_another(api: RunningApi) -> None:
    with signed_in(api) as one, signed_in(api) as other:
        token = form_token(one.get("/review"))
        assert other.post("/logout", data={"csrf": token}).status_code == 403


def test_every_page_carries_the_security_headers(api: RunningApi) -> None:
    with signed_in(api) as browser:
        for path in ("/review", "/review/audit", "/login", "/review/nowhere", "/app"):
            headers = browser.get(path).headers
            for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
                assert headers[name] == ALWAYS[name], (path, name)
        assert browser.get("/review").headers["Cache-Control"] == "no-store"


def test_no_page_holds_an_inline_script_or_style(api: RunningApi) -> None:
    report(api, "eve", "win <script>alert(1)</script>", comment="<style>*{}</style>")
    with signed_in(api, "reviewer", "admin") as browser:
        for path in ("/review", "/review/statistics", "/review/models", "/review/rollouts", "/app"):
            html = browser.get(path).text
            assert re.findall(r"<script(?![^>]*\ssrc=)", html) == [], path
            assert re.findall(r"<style|\sstyle=|\son\w+=", html) == [], path


def test_an_asset_is_cached_for_ever_and_nothing_else_is_served_from_there(
    api: RunningApi,
) -> None:
    found = re.search(
        r'href="(/assets/style-[^"]+)"',
        httpx.get(f"{api.url}/login", timeout=PATIENCE_SECONDS).text,
    )
    assert found
    answer = httpx.get(api.url + found[1], timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    for path in ("/assets/manifest.json", "/assets/..%2Fsettings.py", "/assets/worker.js"):
        assert httpx.get(api.url + path, timeout=PATIENCE_SECONDS).status_code == 404


def test_unknown_pages_are_html_and_unknown_api_paths_stay_problem_documents(
    api: RunningApi,
) -> None:
    page = httpx.get(
        f"{api.url}/review/models/sms/nothing", follow_redirects=False, timeout=PATIENCE_SECONDS
    )
    assert page.status_code == 303
    with signed_in(api) as browser:
        missing = browser.get("/review/models/sms/nothing")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")
    wrong = httpx.get(f"{api.url}/api/v2/nowhere", timeout=PATIENCE_SECONDS)
    assert wrong.headers["content-type"] == "application/problem+json"


def test_a_reviewer_cannot_steer_a_rollout_by_hand_written_form(api: RunningApi) -> None:
    with signed_in(api) as browser:
        form = {"csrf": form_token(browser.get("/review")), "reason": "I want to"}
        answer = browser.post("/review/rollouts/sms/undo", data=form)
    assert answer.status_code == 403
    assert "needs the role admin" in answer.text


def test_reading_the_queue_is_in_the_audit_log_once(api: RunningApi) -> None:
    item = report(api, "eve", "win a prize")
    with signed_in(api) as browser:
        page = browser.get("/review").text
        found = re.search(r'data-noted="([0-9a-f]+)"', page)
        assert found
        url = f"/review/items/{item.id}?noted={found[1]}"
        assert browser.get(url, headers={"X-Fragment": "1"}).status_code == 200
        assert len(readings(api)) == 1
        # Without the proof that it stands there already, it is written.
        browser.get(f"/review/items/{item.id}?noted=abc", headers={"X-Fragment": "1"})
    assert len(readings(api)) == 2


def readings(api: RunningApi) -> list[str]:
    with api.client("root", "admin", "reviewer") as admin:
        return [entry.actor for entry in admin.audit().items if entry.action == "message.read"]


def test_behind_a_gateway_sign_ins_are_counted_for_the_browser(tmp_path: Path) -> None:
    with running_api(
        tmp_path, embedded=True, trusted_proxies="127.0.0.1", rate_per_address="1/hour"
    ) as api:

        def sign_in(address: str) -> int:
            browser = httpx.Client(
                base_url=api.url, timeout=PATIENCE_SECONDS, headers={"X-Forwarded-For": address}
            )
            form = {"csrf": form_token(browser.get("/login")), "token": api.token("rita", "admin")}
            return browser.post("/login", data=form).status_code

        assert sign_in("203.0.113.7") == 303
        assert sign_in("203.0.113.8") == 303, "another browser"
        assert sign_in("203.0.113.7") == 429
