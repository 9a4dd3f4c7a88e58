"""Format numbers and times for pages. Pure."""

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
    """Format a label by its title; an unknown label is unchanged."""
    return _WORDS.get(label, label)


def opposite(label: str, model_type: ModelType) -> str:
    """Return the other label of the same model type.

    Raises:
        UnknownLabel: The model type has no such label.
    """
    return label_of(model_type, not is_positive(model_type, label))


def percent(share: float | None, digits: int = 0) -> str:
    """Format a share of 0..1 as percent; `None` as a dash."""
    return "–" if share is None else f"{100 * share:.{digits}f}%"


def place(share: float, floor: float, ceiling: float) -> float:
    """Return the position of a share on an axis from `floor` to `ceiling`, 0 to 100."""
    return round(100 * min(max((share - floor) / max(ceiling - floor, 1e-9), 0.0), 1.0), 2)


def rate(low: float | None, high: float | None) -> str:
    """Format an interval of shares, e.g. `1.2 to 3.4%`; small ones with one digit more."""
    if low is None or high is None:
        return "no interval yet"
    digits = 2 if high < 0.1 else 1
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f}%"


def count(number: int) -> str:
    """Format an integer with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def moment(at: datetime | None) -> str:
    """Format a UTC time to the minute."""
    return "–" if at is None else at.strftime("%Y-%m-%d %H:%M UTC")


def clock(at: datetime | None) -> str:
    """Format a UTC time of today to the minute."""
    return "–" if at is None else at.strftime("%H:%M UTC")


def ago(at: datetime | None, now: datetime) -> str:
    """Format the time since a moment, in one unit."""
    if at is None:
        return "never"
    elapsed = (now - at).total_seconds()
    return "just now" if elapsed < 60 else f"{span(elapsed)} ago"


def span(elapsed_seconds: float) -> str:
    """Format a duration in its largest suitable unit."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if elapsed_seconds >= size:
            whole = int(elapsed_seconds // size)
            return f"{whole} {unit}{'' if whole == 1 else 's'}"
    return seconds(elapsed_seconds)


def seconds(elapsed_seconds: float | None) -> str:
    """Format seconds, with one decimal below ten."""
    if elapsed_seconds is None:
        return "–"
    return f"{elapsed_seconds:.1f} s" if elapsed_seconds < 10 else f"{elapsed_seconds:.0f} s"
