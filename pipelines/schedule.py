"""When the weekly run is due: five-field cron, as everybody writes it.

Pure: times come in and go out. `0 3 * * 1` is Monday 03:00 UTC. Kubeflow Pipelines wants six
fields, seconds first, and takes five with another meaning without a word; `six_fields` is what to
send it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shield.errors import Invalid

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_FURTHEST = timedelta(days=366 * 8)
"""29 February comes at most eight years apart; a cron that finds no day by then has none."""


@dataclass(frozen=True)
class Cron:
    """A schedule with the resolution of a minute, in UTC."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """Read the usual five fields: minute, hour, day of month, month, day of week.

        Raises:
            Invalid: Not five fields, a value out of range, or a day that never comes.
        """
        parts = text.split()
        if len(parts) != len(_FIELDS):
            raise Invalid(
                f"The schedule {text!r} has {len(parts)} fields. Use five: minute hour "
                "day-of-month month day-of-week, e.g. '0 3 * * 1' for Monday 03:00 UTC."
            )
        minutes, hours, days, months, weekdays = (
            _read(text, part, *field) for part, field in zip(parts, _FIELDS, strict=True)
        )
        cron = cls(
            text=" ".join(parts),
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset(day % 7 for day in weekdays),
            any_day=parts[2].startswith("*"),
            any_weekday=parts[4].startswith("*"),
        )
        cron.next_after(datetime(2024, 1, 1, tzinfo=UTC))
        return cron

    def next_after(self, moment: datetime) -> datetime:
        """Return the first due time later than `moment` (aware), in UTC.

        Raises:
            Invalid: There is none, e.g. 30 February.
        """
        start = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = start.replace(hour=0, minute=0)
        while day - start < _FURTHEST:
            if day.month in self.months and self._on(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        due = day.replace(hour=hour, minute=minute)
                        if due >= start:
                            return due
            day += timedelta(days=1)
        raise Invalid(f"The schedule {self.text!r} names a day that never comes.")

    def six_fields(self) -> str:
        """Return the same schedule as Kubeflow Pipelines reads it: seconds first."""
        return f"0 {self.text}"

    def _on(self, day: datetime) -> bool:
        """Apply cron's rule: with both day fields restricted, either of them is enough."""
        of_month = day.day in self.days
        of_week = day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return of_month and of_week
        return of_month or of_week


def _read(
    text: str, part: str, name: str, lowest: int, highest: int, words: list[str]
) -> frozenset[int]:
    """Return the values that one field stands for."""

    def number(word: str) -> int:
        if word.lower() in words:
            return words.index(word.lower()) + (lowest if name == "month" else 0)
        if not word.isdigit() or not lowest <= int(word) <= highest:
            raise Invalid(
                f"{word!r} is no {name} in the schedule {text!r}. Use {lowest} to {highest}, "
                "lists (1,3), ranges (1-5), steps (*/2) or *."
            )
        return int(word)

    values: set[int] = set()
    for item in part.split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", item)
        if match is None or (match[1] == "*" and match[2]):
            number(item)  # says what is wrong with it
            raise Invalid(f"{item!r} cannot be read as a {name} in the schedule {text!r}.")
        step = int(match[3] or 1)
        if step == 0:
            raise Invalid(f"The step of {item!r} in the schedule {text!r} must be at least 1.")
        first = lowest if match[1] == "*" else number(match[1])
        last = number(match[2]) if match[2] else highest if match[1] == "*" or match[3] else first
        if last < first:
            raise Invalid(f"The range {item!r} in the schedule {text!r} runs backwards.")
        values.update(range(first, last + 1, step))
    return frozenset(values)
