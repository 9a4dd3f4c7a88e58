"""Pictures of what a browser test sees, for who wants to look: `SHIELD_LOOKS=folder make test`."""

import os
from pathlib import Path

from playwright.sync_api import Page


def look(page: Page, name: str) -> None:
    """Save the whole page as `name`.png, if the environment names a folder for such pictures."""
    if folder := os.environ.get("SHIELD_LOOKS"):
        place = Path(folder) / f"{name}.png"
        page.screenshot(path=place, full_page=True, animations="disabled", caret="hide")
