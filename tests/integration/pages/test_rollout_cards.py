"""What the page of rollouts says of a trial that waits."""

from pathlib import Path

import httpx

from shield.crds.evidence import ArmEvidence
from tests.support.api import running_api
from tests.support.desk import form_token
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.worlds import serving


def test_a_trial_paused_for_slow_answers_says_so_and_how_it_ends(tmp_path: Path) -> None:
    good = ArmEvidence(exposures=1000, positives=100, timed=500)
    slow = good.model_copy(update={"slow": 400})
    world = serving().ask(version="sms-v2").shows(good, slow).wait(180)
    with running_api(tmp_path, embedded=True) as api:
        store = api.services.rollouts
        store.change_spec("sms", lambda _: world.spec)
        store.write_status(store.get("sms"), world.status)
        with httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS) as browser:
            form = {"csrf": form_token(browser.get("/login")), "token": api.token("r", "reviewer")}
            browser.post("/login", data=form)
            page = browser.get("/review/rollouts").text
    assert "AnswersSlow" in page
    assert "goes on by itself" in page
    assert "400 of its latest 500 requests" in page
    assert "Processor time" in page
