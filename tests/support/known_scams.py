"""Known scams as phones are told of them, and what phones must make of messages beside them."""

from datetime import date

from shield.device.known import NORMALISER, host_number, sketch_of
from shield.labels import ScanType
from shield.similarity import form
from shield.wire import KnownScam, KnownStatement

SALT = 0xC0FFEE11
SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
COPY = (
    "YOUR p\u0430rcel 99 is being held at our depot, pay 3.49 at http://x.post-pay.example/zz today"
)
FORGED = "Your parcel 4711 is held at our depot. Pay 1.99 at https://royal-post.example/a today"
FRIEND = "Hi mum this is my new number please text me back there when you see this message"
SHORTENED = "Dear customer your account was closed today, open it again at bit.ly/Ab1 now please"


def entry(text: str, *, any_host: bool = False) -> KnownScam:
    sketch = sketch_of(text, SALT)
    assert sketch is not None
    return KnownScam(
        sketch=sketch,
        hosts=[host_number(host, SALT) for host in form(text).hosts],
        any_host=any_host,
        reporters=3,
        decided_on=date(2026, 3, 3),
    )


def statement(entries: list[KnownScam]) -> KnownStatement:
    """Return a list of known scams, as the API signs it."""
    return KnownStatement(
        scan_type=ScanType.TEXT,
        number=1,
        until="2030-01-01T00:00:00+00:00",
        normaliser=NORMALISER,
        salt=SALT,
        entries=entries,
    )


KNOWN = statement([entry(SCAM), entry(FRIEND, any_host=True), entry(SHORTENED)])
SAID: dict[str, str | None] = {
    SCAM: "confirmed",
    COPY: "confirmed",
    FORGED: None,
    SCAM.replace("https://post-pay.example/a", "at the desk"): None,
    "Your parcel is held. Collect it from our depot at https://post-pay.example/a": None,
    FRIEND: "confirmed",
    FRIEND.upper().replace("THERE", "here"): "confirmed",
    f"{FRIEND} https://example.org/x": "checking",
    SHORTENED: "confirmed",
    SHORTENED.replace("Ab1", "Cd2"): None,
    "Hi mum, I have landed, see you at home": None,
}
"""What a phone makes of messages that holds `KNOWN`: `confirmed`, `checking`, or nothing."""
