"""What stands above the queue: the queues of a visitor, languages, and the view they begin with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import Request

from api.kit.context import Context
from api.review import queue, queues, sorting
from api.review.views import View

LANGUAGES = {
    "ar": "Arabic", "zh": "Chinese", "nl": "Dutch", "en": "English", "fr": "French", "de": "German",
    "hi": "Hindi", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "fa": "Persian",
    "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "es": "Spanish", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese",
}  # fmt: skip
"""Languages suggested in the filter; the URL accepts any code."""


@dataclass(frozen=True)
class Lane:
    """One queue that the visitor works in, with the number of lines that wait for them."""

    name: str
    waiting: int


def lanes(ctx: Context) -> list[Lane]:
    """Return the queues that the visitor works in, by name."""
    rows = [row for row in queues.queues(ctx) if queues.works_in(ctx, row)]
    if any(row.languages or row.tactics for row in rows):
        sorting.sort(ctx)
    return [Lane(row.name, queues.waiting(ctx, row)) for row in rows]


def given(ctx: Context) -> int:
    """Return the number of lines that were given to the visitor or their teams."""
    return queue.waiting(ctx, queue.Filters(), View(assigned="mine"))


def begun(request: Request, own: Sequence[Lane], view: View) -> View:
    """Return the view of a page: whoever asks for nothing in particular begins in their queue."""
    if own and "queue" not in request.query_params and not view.query:
        return replace(view, queue=own[0].name)
    return view
