"""Walk a model type that is only in memory, `image`, from scan to queue to export.

`python -m tests.support.image_walk FOLDER` adds to `shield/labels.py`, in memory, what a newcomer
writes into it, before anything else is imported, and then uses the system as its users do.
"""

import json
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import shield

LABELS_FILE = Path(shield.__file__).with_name("labels.py")
RECORD = """
        TypeRecord(
            model_type=ModelType.IMAGE,
            scan_type=ScanType.IMAGE,
            labels=Labels("genuine", "fake"),
            label_words=Labels("genuine", "a fake"),
            title="Pictures",
            noun="Picture",
            covers="Pictures",
            icon="link",
            corpus="pictures that users sent",
        ),
"""


def with_image(source: str) -> str:
    """Return `shield/labels.py` with one more type: two members and a record."""
    source, members = re.subn(r'(    VOICE = "voice"\n)', r'\1    IMAGE = "image"\n', source)
    source, records = re.subn(
        r"(?m)^    \)\n\}\n(?=\"\"\"Every model type)", RECORD + "    )\n}\n", source
    )
    assert (members, records) == (2, 1), "shield/labels.py has changed: show here what one adds now"
    return source


def add_image() -> None:
    """Let everybody who imports `shield.labels` from now on find the new type."""
    module = sys.modules["shield.labels"] = ModuleType("shield.labels")
    exec(compile(with_image(LABELS_FILE.read_text()), LABELS_FILE, "exec"), module.__dict__)


def main(folder: Path) -> None:
    """Scan, object, decide, look at the pages, export and lease a batch of pictures."""
    from api.pages.scan_types import script
    from manifests.chart import TYPES
    from shield.labels import FeedbackType, ModelType, ScanType, type_names
    from shield.wire import ReviewAction
    from tests.support.api import running_api
    from tests.support.arms import deploy, model_server
    from tests.support.desk import signed_in
    from tests.support.waiting import wait_until

    image = ModelType("image")
    with ExitStack() as stack:
        api = stack.enter_context(running_api(folder, embedded=True))
        url = stack.enter_context(model_server(image))
        deploy(api.services.rollouts, url, version="image-v1", model_type=image)
        wait_until(lambda: api.services.router.split(image), "the split was never seen")
        user = stack.enter_context(api.client("ida"))
        reviewer = stack.enter_context(api.client("rita", "reviewer", "admin", "pipeline"))
        scan = user.scan(ScanType("image"), "Scan this code and win a phone.")
        assert (scan.verdict, scan.model_version) == ("fake", "image-v1"), scan
        sent = user.send_feedback(scan.id, FeedbackType.FALSE_POSITIVE)
        assert sent.corrected_label == "genuine", sent
        (waiting,) = reviewer.pending(model_type=image, limit=10)
        assert waiting.scan.scan_type == "image", waiting
        with signed_in(api) as browser:
            queue = browser.get("/review", params={"model": "image"}).text
            phone = browser.get("/app").text
        for words in ("Pictures</a>", "Picture</h2>", "A fake", "Genuine"):
            assert words in queue, queue
        assert 'value="image"' in phone, phone
        reviewer.review(sent.id, ReviewAction.APPROVE)
        (row,) = json.loads(reviewer.export())["data"]
        assert (row["scanType"], row["correctedLabel"]) == ("image", "genuine"), row
        batch = reviewer.lease_batch(image, "run-1", minimum=1)
        assert batch.count == 1, batch
    assert '"genuine",' in script()
    assert TYPES[-1] == "image"
    assert type_names() == "sms, phishing, voice or image"
    print("walked")


if __name__ == "__main__":
    add_image()
    main(Path(sys.argv[1]))
