"""What somebody without a pointer or with large text meets on a page, shadow trees included."""

from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import CDPSession, Page

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


class Stop(NamedTuple):
    """Where Tab has led: a control, and its box on the whole page in CSS pixels."""

    told: str
    top: float
    bottom: float
    left: float
    right: float
    marked: bool
    """The focus can be seen."""
    inside: bool
    """It is on the screen, and not below the bar."""
    scroller: bool
    """No control, but it scrolls by key."""


def tab_faults(page: Page) -> list[str]:
    """Tab through the page, or the open dialog; return what is wrong with the way."""
    wanted: list[str] = asked(page, "controls")
    rtl = page.evaluate("document.documentElement.dir") == "rtl"
    stops: list[Stop] = []
    for _ in range(2 * len(wanted) + 5):
        found = asked(page, "focused")
        if found is not None:
            stop = Stop(**found)
            if stops and stop.told == stops[0].told:
                break
            if stops or stop.told == wanted[0]:
                stops.append(stop)
        page.keyboard.press("Tab")
    # What scrolls is a stop of the browser's own; a dialog that scrolls comes last.
    stops = [stop for stop in stops if not stop.scroller]
    way = [stop.told for stop in stops]
    faults = [] if way == wanted else [f"Tab leads to {way}, not to {wanted}"]
    faults += [f"{stop.told}: the focus is not to be seen" for stop in stops if not stop.marked]
    faults += [f"{stop.told}: the focus is off the screen" for stop in stops if not stop.inside]
    return faults + [
        f"from {one.told} Tab goes back to {other.told}"
        for one, other in pairwise(stops)
        if is_before(other, one, rtl=rtl)
    ]


def is_before(one: Stop, other: Stop, *, rtl: bool) -> bool:
    """Return whether a reader comes to `one` before `other`."""
    if one.bottom <= other.top + 1:
        return True
    if one.top >= other.bottom - 1:
        return False
    return one.right > other.right + 1 if rtl else one.left < other.left - 1


def runs_out(page: Page) -> list[str]:
    """Return what is wider than the page, or cut off without saying so."""
    found: list[str] = asked(page, "cut")
    return found


def asked(page: Page, what: str) -> Any:
    return page.evaluate(f"{SCRIPT.strip()}.{what}()")


def enlarge_text(page: Page, percent: int) -> CDPSession:
    """Set the browser's own text size, as somebody does who reads with difficulty.

    It holds as long as the session that is returned.
    """
    session = page.context.new_cdp_session(page)
    sizes = {"standard": 16 * percent // 100, "fixed": 13 * percent // 100}
    session.send("Page.setFontSizes", {"fontSizes": sizes})
    return session
