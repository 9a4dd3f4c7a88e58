"""Screenshots of a message as a phone shows it, drawn by the browser of the test."""

from dataclasses import dataclass

from playwright.sync_api import Browser

PAGE = """<style>
  {faces} :root {{ background: {back}; }}
  body {{ margin: 0; font: 17px/1.35 {font}; color: {ink}; }}
  header {{ padding: 14px 16px; background: {bubble}; text-align: center; font-size: 15px; }}
  p {{ width: fit-content; max-width: 280px; margin: 16px; padding: 10px 14px; border-radius: 18px;
       background: {bubble}; overflow-wrap: anywhere; }}
</style><p dir="auto"></p>"""


@dataclass(frozen=True)
class Look:
    """How the phone shows it: its theme, its font, and its pixels a point."""

    dark: bool = False
    font: str = "sans-serif"
    faces: str = ""
    scale: float = 3


def screenshot(browser: Browser, text: str, look: Look | None = None) -> bytes:
    """Return a PNG of one message in a bubble, 390 points wide."""
    look = look or Look()
    back, bubble, ink = ("#000", "#26262a", "#fff") if look.dark else ("#fff", "#e9e9eb", "#000")
    page = browser.new_page(viewport={"width": 390, "height": 300}, device_scale_factor=look.scale)
    try:
        page.set_content(
            PAGE.format(faces=look.faces, font=look.font, back=back, bubble=bubble, ink=ink)
        )
        page.locator("p").evaluate("(bubble, text) => { bubble.textContent = text; }", text)
        page.evaluate("() => document.fonts.ready.then(() => undefined)")
        return page.screenshot(full_page=True)
    finally:
        page.close()
