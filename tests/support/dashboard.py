"""What Kubeflow's dashboard makes of a step's artifacts: the frames and columns that it has.

HTML is shown in a sandboxed frame without network, 250 pixels wide in the panel beside the graph
and as wide as a dialog when it is popped out. Markdown is shown without raw HTML in a column as
wide as its widest word, or 250 pixels (KFP's `HTMLViewer`, `MarkdownViewer` and `PlotCard`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Frame, Page

BESIDE, POPPED_OUT = 250, 1070
"""Width of the frame in pixels: in the panel, and in the dialog of a window of 1440 pixels."""
HEIGHT = 600


@contextmanager
def html_shown(browser: Browser, html: str, width: int) -> Iterator[Frame]:
    """Show a page in the sandboxed frame; what it asks of any server is a failure."""
    with _shown(
        browser,
        f'<iframe sandbox="allow-scripts" style="border:0;width:{width}px;height:{HEIGHT}px" '
        f'srcdoc="{escape(html)}"></iframe>',
    ) as page:
        yield page.frames[1]


@contextmanager
def markdown_shown(browser: Browser, markdown: str, width: int) -> Iterator[Page]:
    """Show Markdown in the card that grows with its widest word."""
    shown = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    card = f"width:min-content;min-width:{width}px;font:14px sans-serif"
    with _shown(browser, f'<div id="card" style="{card}">{shown}</div>') as page:
        yield page


@contextmanager
def _shown(browser: Browser, body: str) -> Iterator[Page]:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.set_content(f"<!doctype html>{body}")
        yield page
    finally:
        page.close()
    asked = [url for url in asked if not url.startswith("about:")]
    assert not asked, f"an artifact asked for {asked}"
