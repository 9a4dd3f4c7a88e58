"""`/contest`: hostile input leaves no mark, refusals are kind, in the reader's language."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from api.tables import Contest
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.waiting import PATIENCE_SECONDS

TABLES = Path(__file__).parents[3] / "api/pages/assets/src/words"
WORDS = {file.stem: json.loads(file.read_text()) for file in sorted(TABLES.glob("*.json"))}
SHOP = "You win a voucher with your order 4711 at our shop, see https://shop.example/v for terms"
MARKUP = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    folder = tmp_path_factory.mktemp("contest")
    with (
        model_server() as arm,
        running_api(folder, prepare=lambda services: deploy(services.rollouts, arm)) as api,
    ):
        yield api


def form(api: RunningApi, path: str = "", headers: dict[str, str] | None = None, **fields: str):
    return httpx.post(
        f"{api.url}/contest{path}",
        data={"scan_type": "text", **fields} if "receipt" not in fields else fields,
        headers=headers or {},
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )


def contests(api: RunningApi) -> int:
    with api.services.reading() as session:
        return session.scalar(select(func.count()).select_from(Contest)) or 0


@pytest.mark.parametrize("language", WORDS)
def test_the_page_its_answers_and_its_refusals_are_in_the_readers_language(
    api: RunningApi, language: str
) -> None:
    words = WORDS[language]
    said = {"Accept-Language": f"{language};q=0.9, en;q=0.1"}
    page = httpx.get(f"{api.url}/contest", headers=said, trust_env=False).text
    assert words["contest.question"] in page.replace("&#39;", "'")
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page
    chosen = httpx.get(f"{api.url}/contest?lang={language}", trust_env=False)
    assert words["contest.question"] in chosen.text.replace("&#39;", "'")
    assert chosen.headers["content-language"] == language
    assert f'action="/contest?lang={language}"' in chosen.text, "and it stays with the form"
    lacking = form(api, headers=said, text=SHOP)
    assert words["contest.incomplete"] in lacking.text.replace("&#39;", "'")
    taken = form(api, f"?lang={language}", text=SHOP, reason="We are the shop.")
    assert taken.status_code == 200
    assert words["contest.waiting"] in taken.text.replace("&#39;", "'")
    receipt = re.search(r'id="receipt"[^>]*>([A-Z2-7-]+)<', taken.text)
    assert receipt is not None
    answer = form(api, "/answer", headers=said, receipt=receipt[1])
    assert words["contest.yours"] in answer.text.replace("&#39;", "'")
    erased = form(api, "/withdraw", headers=said, receipt=receipt[1])
    assert words["contest.erased"] in erased.text.replace("&#39;", "'")
    again = form(api, "/withdraw", headers=said, receipt=receipt[1])
    assert again.status_code == 404
    assert words["contest.noReceipt"].format(days="90") in again.text.replace("&#39;", "'")
    if language != "en":
        for shown in (page, lacking.text, taken.text, answer.text, again.text):
            english = [
                text
                for key, text in WORDS["en"].items()
                if key.startswith("contest.") and text != words[key] and text in shown
            ]
            assert english == []


def test_markup_is_text_and_what_was_written_is_kept(api: RunningApi) -> None:
    before = contests(api)
    refused = form(api, text=MARKUP, contact='" autofocus onfocus="alert(1)', reason="  ")
    assert refused.status_code == 422
    assert "<script>alert" not in refused.text
    assert "<img src=x" not in refused.text
    assert 'onfocus="alert' not in refused.text
    assert "{{ 7*7 }}" in refused.text, "kept as it was written"
    assert "script-src 'self'" in refused.headers["content-security-policy"]
    receipt = form(api, "/answer", receipt=f'"><script>{MARKUP}')
    assert receipt.status_code == 404
    assert "<script>alert" not in receipt.text
    assert contests(api) == before


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"text": "x" * 20_001, "reason": "ours"}, 422),
        ({"text": SHOP, "reason": "x" * 2_001}, 422),
        ({"text": SHOP, "reason": "ours", "contact": "x" * 321}, 422),
        ({"text": SHOP, "reason": "nul \0"}, 422),
        ({"text": SHOP, "reason": "ours", "scan_type": "../sms"}, 422),
        ({"text": SHOP, "reason": "ours", "scan_type": ""}, 422),
        ({"text": " \n\t", "reason": "ours"}, 422),
        ({"text": SHOP * 3_000, "reason": "ours"}, 413),
    ],
)
def test_what_cannot_be_taken_is_told_and_leaves_nothing(
    api: RunningApi, fields: dict[str, str], status: int
) -> None:
    before = contests(api)
    refused = form(api, "", None, **fields)
    assert refused.status_code == status, refused.text[:300]
    assert contests(api) == before
    if status == 422:
        assert 'role="alert"' in refused.text


@pytest.mark.parametrize("path", ["", "/answer", "/withdraw"])
def test_another_sites_form_does_nothing_in_its_visitors_name(api: RunningApi, path: str) -> None:
    before = contests(api)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    fields = {"receipt": "AAAA"} if path else {"text": SHOP, "reason": "ours"}
    refused = form(api, path, headers=foreign, **fields)
    assert refused.status_code == 403
    assert WORDS["en"]["contest.foreign"] in refused.text
    assert contests(api) == before


@pytest.mark.parametrize("lang", ["../../etc/passwd", "xx", "EN", "ar\u202e", "%00"])
def test_a_language_that_is_none_falls_back(api: RunningApi, lang: str) -> None:
    page = httpx.get(f"{api.url}/contest", params={"lang": lang[:16]}, trust_env=False)
    assert page.status_code == 200
    assert WORDS["en"]["contest.question"] in page.text
    assert "passwd" not in page.text


def test_too_many_are_told_kindly_when_to_come_back_and_no_header_evades_it(
    tmp_path: Path,
) -> None:
    with (
        model_server() as arm,
        running_api(
            tmp_path,
            prepare=lambda services: deploy(services.rollouts, arm),
            rate_contests="2/hour",
        ) as api,
    ):
        for number in range(2):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            assert form(api, headers=headers, text=SHOP, reason="ours").status_code == 200
        late = form(
            api,
            "?lang=de",
            headers={"X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9"},
            text=SHOP,
            reason="Von uns.",
        )
        assert late.status_code == 429
        assert int(late.headers["retry-after"]) > 3000
        kindly = WORDS["de"]["contest.tooMany"].partition("{")[0]
        assert kindly in late.text
        assert "60" in late.text
        assert "Von uns." in late.text, "what was written is not lost"
        assert contests(api) == 2


def test_where_contests_are_off_it_is_said_in_the_readers_language(tmp_path: Path) -> None:
    with running_api(tmp_path, contests=False) as api:
        off = httpx.get(f"{api.url}/contest?lang=nl", trust_env=False)
        assert off.status_code == 404
        assert WORDS["nl"]["contest.off"] in off.text
        assert "<form" not in off.text
        assert form(api, text=SHOP, reason="ours").status_code == 404
