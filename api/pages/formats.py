"""How numbers and times read on a page. Pure."""

from datetime import datetime

from shield.labels import MODEL_TYPES, ModelType, is_positive, label_of

FILTERS = (
    "percent", "count", "moment", "clock", "ago", "span", "rate", "seconds",
    "place", "word", "opposite",
)  # fmt: skip
_WORDS = {
    label: words
    for record in MODEL_TYPES.values()
    for label, words in zip(record.labels, record.label_words, strict=True)
}


def word(label: str) -> str:
    """Write a label as people say it; one that no model type has stays."""
    return _WORDS.get(label, label)


def opposite(label: str, model_type: ModelType) -> str:
    """Return the other label of the same model type.

    Raises:
        UnknownLabel: The model type has no such label.
    """
    return label_of(model_type, not is_positive(model_type, label))


def percent(share: float | None, digits: int = 0) -> str:
    """Write a share of 0..1 as percent; an unknown one as a dash."""
    return "–" if share is None else f"{100 * share:.{digits}f}%"


def place(share: float, floor: float, ceiling: float) -> float:
    """Return where a share lies on a line from `floor` to `ceiling`, 0 to 100."""
    return round(100 * min(max((share - floor) / max(ceiling - floor, 1e-9), 0.0), 1.0), 2)


def rate(low: float | None, high: float | None) -> str:
    """Write an interval of shares, e.g. `1.2 to 3.4%`; small ones with one digit more."""
    if low is None or high is None:
        return "no interval yet"
    digits = 2 if high < 0.1 else 1
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f}%"


def count(number: int) -> str:
    """Write a whole number with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def moment(at: datetime | None) -> str:
    """Write a time, UTC, to the minute."""
    return "–" if at is None else at.strftime("%Y-%m-%d %H:%M UTC")


def clock(at: datetime | None) -> str:
    """Write a time of today, UTC, to the minute."""
    return "–" if at is None else at.strftime("%H:%M UTC")


def ago(at: datetime | None, now: datetime) -> str:
    """Write how long ago something was, in one unit."""
    if at is None:
        return "never"
    elapsed = (now - at).total_seconds()
    return "just now" if elapsed < 60 else f"{span(elapsed)} ago"


def span(elapsed_seconds: float) -> str:
    """Write a duration in its largest sensible unit."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if elapsed_seconds >= size:
            whole = int(elapsed_seconds // size)
            return f"{whole} {unit}{'' if whole == 1 else 's'}"
    return seconds(elapsed_seconds)


def seconds(elapsed_seconds: float | None) -> str:
    """Write seconds, with one digit below ten."""
    if elapsed_seconds is None:
        return "–"
    return f"{elapsed_seconds:.1f} s" if elapsed_seconds < 10 else f"{elapsed_seconds:.0f} s"
