"""When the weekly run is due: five-field cron, as everybody writes it.

Pure: times come in and go out. `0 3 * * 1` is Monday 03:00 UTC. Kubeflow Pipelines wants six
fields, seconds first, and takes five with another meaning without a word; `six_fields` is what to
send it. Its parser (robfig/cron 1.2) knows no weekday 7, so weekdays are sent as 0 to 6.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

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
_YEARS_AHEAD = 5
"""Kubeflow Pipelines looks for the next due time no further than this many calendar years ahead."""
_FURTHEST = timedelta(days=366 * 8)
"""29 February comes at most eight years apart, around the year 2100."""


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
            Invalid: Not five fields, a value out of range, or a day that never comes, or too
                rarely for Kubeflow Pipelines to find it.
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
            any_day=_starred(parts[2]),
            any_weekday=_starred(parts[4]),
        )
        cron._require_a_due_day()
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

    def _require_a_due_day(self) -> None:
        """Refuse a schedule that Kubeflow Pipelines would accept and never run again."""
        # Dates fall on the same weekdays every 28 years, so two such cycles hold every gap.
        days = (date(2001, 1, 1) + timedelta(days=count) for count in range(365 * 56 + 14))
        years = sorted({day.year for day in days if day.month in self.months and self._on(day)})
        if not years:
            raise Invalid(f"The schedule {self.text!r} names a day that never comes.")
        gaps = (later - earlier for earlier, later in pairwise(years))
        if max(gaps, default=len(years)) > _YEARS_AHEAD:
            raise Invalid(
                f"The schedule {self.text!r} comes less than once in {_YEARS_AHEAD} years, and "
                "Kubeflow Pipelines looks no further ahead. Leave the day of the month or the "
                "day of the week free, e.g. '0 3 1 * *' for each first of a month."
            )

    def six_fields(self) -> str:
        """Return the same schedule as Kubeflow Pipelines reads it: seconds first, weekdays 0 to 6.

        Values are listed one by one, so that a range or a step cannot be read in two ways. A day
        field with a star keeps it: with it, both day fields must hold; without it, either does.
        """
        _, _, days, _, weekdays = self.text.split()
        written = (
            _written(self.minutes, 0, 59),
            _written(self.hours, 0, 23),
            _written(self.days, 1, 31, days if self.any_day else ""),
            _written(self.months, 1, 12),
            _written(self.weekdays, 0, 6, weekdays if self.any_weekday else ""),
        )
        return " ".join(("0", *written))

    def zone_of(self, due: datetime) -> timezone | None:
        """Return the zone in which this schedule was due at `due` (aware), or None.

        Zones are tried in steps of a quarter of an hour, those nearest to UTC first.
        """
        quarters = sorted(range(-12 * 4, 14 * 4 + 1), key=lambda quarter: (abs(quarter), quarter))
        for quarter in quarters:
            local = due.astimezone(UTC) + timedelta(minutes=15 * quarter)
            if (
                local.minute in self.minutes
                and local.hour in self.hours
                and local.month in self.months
                and self._on(local)
            ):
                return timezone(timedelta(minutes=15 * quarter))
        return None

    def _on(self, day: date) -> bool:
        """Apply cron's rule: with both day fields restricted, either of them is enough."""
        of_month = day.day in self.days
        of_week = day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return of_month and of_week
        return of_month or of_week


def _starred(part: str) -> bool:
    """Tell whether a day field leaves the choice to the other one, as cron reads it."""
    return any(item.startswith("*") for item in part.split(","))


def _written(values: frozenset[int], lowest: int, highest: int, starred: str = "") -> str:
    """Return a field that stands for `values`, with the star of the text `starred`, if any."""
    if not starred:
        full = lowest, highest, len(values)
        if full == (0, 59, 60) or full == (0, 23, 24) or full == (1, 12, 12):
            return "*"
        return ",".join(str(value) for value in sorted(values))
    if len(values) == highest - lowest + 1:
        return "*"
    star = next(item for item in starred.split(",") if item.startswith("*"))
    rest = values - set(range(lowest, highest + 1, int(star.partition("/")[2] or 1)))
    return ",".join((star, *(str(value) for value in sorted(rest))))


def _read(
    text: str, part: str, name: str, lowest: int, highest: int, words: list[str]
) -> frozenset[int]:
    """Return the values that one field stands for."""

    def number(word: str) -> int:
        if word.lower() in words:
            return words.index(word.lower()) + (lowest if name == "month" else 0)
        if not re.fullmatch("[0-9]+", word) or not lowest <= int(word) <= highest:
            raise Invalid(
                f"{word!r} is no {name} in the schedule {text!r}. Use {lowest} to {highest}, "
                "lists (1,3), ranges (1-5), steps (*/2) or *."
            )
        return int(word)

    values: set[int] = set()
    for item in part.split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/([0-9]+))?", item)
        if match is None or (match[1] == "*" and match[2]):
            number(item)  # says what is wrong with it
            raise Invalid(f"{item!r} cannot be read as a {name} in the schedule {text!r}.")
        step = int(match[3] or 1)
        if step == 0:
            raise Invalid(f"The step of {item!r} in the schedule {text!r} must be at least 1.")
        first = lowest if match[1] == "*" else number(match[1])
        open_end = 6 if name == "day of week" else highest  # 7 is a second name of Sunday, no day
        last = number(match[2]) if match[2] else open_end if match[1] == "*" or match[3] else first
        if last < first:
            raise Invalid(f"The range {item!r} in the schedule {text!r} runs backwards.")
        values.update(range(first, last + 1, step))
    return frozenset(values)
