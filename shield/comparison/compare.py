"""The comparison of two versions: pure, over what each said of the same messages."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shield.comparison.answers import FLAGGED_FROM, Answers
from shield.comparison.judged import Judged
from shield.metrics import paired_difference_interval, roc_points, score_bins
from shield.wire.comparison import (
    CurvePoint,
    Difference,
    FigureChange,
    MovedMessage,
    SetChange,
    VersionComparison,
)

FEWEST = 20
"""A kind with fewer messages says nothing."""
MOST_KINDS = 100
"""Values of a dimension that are compared, the most frequent ones: languages, sources, tactics."""
MOST_MOVED = 50
"""Messages listed of those that were lost, and of those that were won."""
CONFIDENCE = 0.95
_CURVE_POINTS = 100
_LONGEST = 300

Mask = NDArray[np.bool_]
Figure = Literal["recall", "false positives", "accuracy"]


@dataclass(frozen=True)
class _Both:
    """The messages that both versions were judged on; shape (n,) each."""

    names: NDArray[np.object_]
    sets: NDArray[np.object_]
    scam: Mask
    old: NDArray[np.float64]
    new: NDArray[np.float64]
    rows: list[int]
    """Places in the new version's answers."""

    @property
    def old_right(self) -> Mask:
        """Where the old version was right."""
        right: Mask = (self.old >= FLAGGED_FROM) == self.scam
        return right

    @property
    def new_right(self) -> Mask:
        """Where the new version is right."""
        right: Mask = (self.new >= FLAGGED_FROM) == self.scam
        return right


def compare(old: Judged, new: Judged) -> VersionComparison:
    """Compare two versions.

    Args:
        old: What to compare with, e.g. the champion.
        new: What is compared.

    Returns:
        Figures with paired intervals on the messages that both were judged on, message by message;
        kinds of messages; messages that changed sides; curves; and in what recipe and data differ.
        Where one of them has no answers, the differences alone and a note.
    """
    comparison = VersionComparison(
        old=old.name,
        new=new.name,
        messages=0,
        recipe=_differences(old.recipe, new.recipe),
        data=_differences(old.data, new.data),
        notes=[each.why_not for each in (old, new) if each.answers is None],
    )
    if old.answers is None or new.answers is None:
        return comparison
    both = _paired(old.answers, new.answers)
    comparison.messages = both.scam.size
    alone = len(old.answers.ids) + len(new.answers.ids) - 2 * both.scam.size
    if alone:
        comparison.notes.append(f"{alone} messages were judged by one of the two only: left out.")
    if old.answers.budget != new.answers.budget:
        comparison.notes.append(
            f"{old.name} may flag {old.answers.budget:.2%} of harmless messages, {new.name} "
            f"{new.answers.budget:.2%}: that alone moves recall and false positives."
        )
    if both.scam.size:
        _fill(comparison, both, new.answers)
    return comparison


def _fill(comparison: VersionComparison, both: _Both, answers: Answers) -> None:
    for name in dict.fromkeys(both.sets):
        comparison.sets.append(
            _change(str(name), both, np.asarray(both.sets == name, dtype=np.bool_))
        )
    comparison.slices = sorted(_slices(both, answers), key=lambda kind: kind.figures[-1].change)
    lost, won = both.old_right & ~both.new_right, ~both.old_right & both.new_right
    comparison.lost, comparison.won = int(lost.sum()), int(won.sum())
    comparison.moved = [*_moved(both, lost, answers), *_moved(both, won, answers)]
    golden = np.asarray(both.sets == "golden", dtype=np.bool_)
    for version, scores in (("old", both.old[golden]), ("new", both.new[golden])):
        scam = both.scam[golden]
        if scam.any() and not scam.all():
            points = roc_points(scam, scores, most=_CURVE_POINTS)
            comparison.curves[version] = [CurvePoint(fpr=p.fpr, recall=p.tpr) for p in points]
        comparison.scores[version] = {
            name: score_bins(scores[here]) for name, here in (("ham", ~scam), ("scam", scam))
        }


def _paired(old: Answers, new: Answers) -> _Both:
    """Pair messages by set and id; one whose truth was changed in between counts as another."""
    places = {
        (name, key, scam): place
        for place, (name, key, scam) in enumerate(zip(old.sets, old.ids, old.scam, strict=True))
    }
    pairs = [
        (place, row)
        for row, key in enumerate(zip(new.sets, new.ids, new.scam, strict=True))
        if (place := places.get(key)) is not None
    ]
    rows = [row for _, row in pairs]
    return _Both(
        names=np.array([new.ids[row] for row in rows], dtype=object),
        sets=np.array([new.sets[row] for row in rows], dtype=object),
        scam=np.array([new.scam[row] for row in rows], dtype=np.bool_),
        old=np.array([old.scores[place] for place, _ in pairs], dtype=np.float64),
        new=np.array([new.scores[row] for row in rows], dtype=np.float64),
        rows=rows,
    )


def _change(name: str, both: _Both, here: Mask) -> SetChange:
    scam = both.scam
    parts: tuple[tuple[Figure, Mask], ...] = (
        ("recall", here & scam),
        ("false positives", here & ~scam),
        ("accuracy", here),
    )
    return SetChange(
        name=name,
        messages=int(here.sum()),
        scams=int((here & scam).sum()),
        figures=[_figure(figure, both, part) for figure, part in parts if part.any()],
    )


def _figure(figure: Figure, both: _Both, here: Mask) -> FigureChange:
    before, now = both.old_right[here], both.new_right[here]
    n, lost, won = before.size, int((before & ~now).sum()), int((~before & now).sum())
    fall = paired_difference_interval(lost, won, n, CONFIDENCE)
    right = (float(before.mean()), float(now.mean()))
    sure = fall.low > 0 or fall.high < 0
    kind: Literal["good", "bad", ""] = ("bad" if fall.low > 0 else "good") if sure else ""
    if figure == "false positives":
        old, new, low, high = 1 - right[0], 1 - right[1], fall.low, fall.high
    else:
        old, new, low, high = *right, -fall.high, -fall.low
    return FigureChange(
        figure=figure,
        messages=n,
        old=old,
        new=new,
        change=new - old,
        low=low,
        high=high,
        lost=lost,
        won=won,
        kind=kind,
    )


def _slices(both: _Both, answers: Answers) -> Iterator[SetChange]:
    for dimension, column in answers.kinds.items():
        values = np.array([column[row] for row in both.rows], dtype=object)
        counts = Counter(value for value in values if value)
        frequent = [value for value, n in counts.most_common(MOST_KINDS) if n >= FEWEST]
        for value in sorted(frequent):
            yield _change(
                f"{dimension}: {value}", both, np.asarray(values == value, dtype=np.bool_)
            )


def _moved(both: _Both, here: Mask, answers: Answers) -> list[MovedMessage]:
    places = np.flatnonzero(here)
    farthest = places[np.argsort(-np.abs(both.new - both.old)[places], kind="stable")]
    return [
        MovedMessage(
            id=str(both.names[place]),
            set=str(both.sets[place]),
            scam=bool(both.scam[place]),
            old=float(both.old[place]),
            new=float(both.new[place]),
            won=bool(both.new_right[place]),
            text=answers.texts[both.rows[place]],
        )
        for place in farthest[:MOST_MOVED]
    ]


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Name what is not the same; of lists, what only one of them holds."""
    differing = []
    for name in sorted({*old, *new}):
        one, two = old.get(name), new.get(name)
        if one == two:
            continue
        if isinstance(one, list) and isinstance(two, list):
            one, two = [x for x in one if x not in two], [x for x in two if x not in one]
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            within = _differences(one, two)
            differing += [
                each.model_copy(update={"name": f"{name}.{each.name}"}) for each in within
            ]
            continue
        differing.append(Difference(name=name, old=_told(one), new=_told(two)))
    return differing


def _told(value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, str):
        text = value
    elif isinstance(value, Sequence):
        text = ", ".join(map(str, value))
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
