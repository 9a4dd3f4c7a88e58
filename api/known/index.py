"""Find likely copies of a message among a million sketches, in memory, within microseconds.

Each band of a sketch (three rows of 16 bits) is a number. All numbers are sorted in one array, so
that a look-up is a binary search. New entries are added as small segments, which are merged later.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shield.similarity import PERMUTATIONS, ROWS_PER_BAND, Sketches

_BANDS = PERMUTATIONS // ROWS_PER_BAND
_LEAST = 0.25
"""Least estimated similarity of a candidate. Lower than that of copies, since a copy may lack a
sentence; the caller compares candidates in full."""
_MOST_CANDIDATES = 5
_MOST_SEGMENTS = 4
_PLACES = np.array([32, 16, 0], dtype=np.uint64)
_NUMBERS = np.arange(_BANDS, dtype=np.uint64) << np.uint64(48)

Rows = NDArray[np.uint16]
"""Shape (entries, PERMUTATIONS): the lower half of each row of a sketch."""


def _keys(rows: Rows) -> NDArray[np.uint64]:
    """Return the bands of sketches as numbers, shape (entries, bands)."""
    parts = rows.reshape(len(rows), _BANDS, ROWS_PER_BAND).astype(np.uint64)
    return np.asarray((parts << _PLACES).sum(axis=2, dtype=np.uint64) | _NUMBERS)


@dataclass(frozen=True)
class _Segment:
    keys: NDArray[np.uint64]
    owners: NDArray[np.int32]
    rows: Rows
    ids: NDArray[np.bytes_]
    sequences: NDArray[np.int64]

    @classmethod
    def of(cls, ids: NDArray[np.bytes_], sequences: NDArray[np.int64], rows: Rows) -> "_Segment":
        keys = np.empty((_BANDS, len(rows)), dtype=np.uint64)
        for start in range(0, len(rows), 10_000):
            keys[:, start : start + 10_000] = _keys(rows[start : start + 10_000]).T
        # Band by band: each is a part of the whole order already, and sorting needs less memory.
        owners = np.empty((_BANDS, len(rows)), dtype=np.int32)
        for band in range(_BANDS):
            order = np.argsort(keys[band])
            owners[band], keys[band] = order, keys[band][order]
        return cls(keys.ravel(), owners.ravel(), rows, ids, sequences)


class KnownIndex:
    """Index of the active known campaigns of one model type. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: tuple[_Segment, ...] = ()
        self._active = 0
        self._changed: dict[bytes, int] = {}
        """Latest sequence of entries of which a segment may hold an older state; -1: removed."""

    def __len__(self) -> int:
        """Return the number of active entries."""
        return self._active

    def change(
        self,
        ids: Sequence[str],
        sequences: Sequence[int],
        rows: Rows,
        gone: Sequence[str] = (),
    ) -> None:
        """Add or update entries, and remove others.

        Args:
            ids: Ids of active entries, each once.
            sequences: Number of the latest change of each entry.
            rows: Sketches of the entries.
            gone: Ids of entries that no longer match.
        """
        fresh, leaving = np.array(ids, dtype="S32"), np.array(gone, dtype="S32")
        with self._lock:
            for entry in self._held(leaving):
                self._active -= self._changed.get(entry) != -1
                self._changed[entry] = -1
            held = self._held(fresh)
            self._active += len(ids) - sum(self._changed.get(entry) != -1 for entry in held)
            numbers = dict(zip(fresh.tolist(), sequences, strict=True))
            self._changed.update((entry, numbers[entry]) for entry in held)
            if not len(ids):
                return
            segment = _Segment.of(fresh, np.array(sequences, dtype=np.int64), rows)
            segments = [*self._segments, segment]
            if len(segments) > _MOST_SEGMENTS:
                segments = self._merged(segments)
            self._segments = tuple(segments)

    def _held(self, ids: NDArray[np.bytes_]) -> set[bytes]:
        """Return the ids that are in a segment."""
        if not ids.size:
            return set()
        return {
            entry for each in self._segments for entry in each.ids[np.isin(each.ids, ids)].tolist()
        }

    def _merged(self, segments: list[_Segment]) -> list[_Segment]:
        """Merge all but the largest segment; also that one once the others are a quarter of it."""
        segments.sort(key=lambda each: -len(each.ids))
        rest = segments[1:]
        if 4 * sum(len(each.ids) for each in rest) >= len(segments[0].ids):
            rest = segments
        kept = [each for each in segments if all(each is not one for one in rest)]
        ids = np.concatenate([each.ids for each in rest])
        sequences = np.concatenate([each.sequences for each in rest])
        rows = np.concatenate([each.rows for each in rest])
        alive = np.array(
            [
                self._changed.get(entry, sequence) == sequence
                for entry, sequence in zip(ids.tolist(), sequences.tolist(), strict=True)
            ],
            dtype=np.bool_,
        )
        return [*kept, _Segment.of(ids[alive], sequences[alive], rows[alive])]

    def candidates(self, sketch: Sketches) -> list[str]:
        """Return ids of likely copies of a message, most similar first."""
        row = sketch.astype(np.uint16)
        sought = _keys(row[None])[0]
        alike_entries: list[tuple[float, bytes]] = []
        for segment in self._segments:
            low = np.searchsorted(segment.keys, sought, "left")
            high = np.searchsorted(segment.keys, sought, "right")
            hit = np.flatnonzero(high > low)
            if not hit.size:
                continue
            owners = np.unique(
                np.concatenate([segment.owners[low[band] : high[band]] for band in hit])
            )
            alike = np.mean(segment.rows[owners] == row, axis=1)
            near = np.flatnonzero(alike >= _LEAST)
            for place in near[np.argsort(-alike[near])][: 2 * _MOST_CANDIDATES]:
                owner = int(owners[place])
                entry, sequence = bytes(segment.ids[owner]), int(segment.sequences[owner])
                if self._changed.get(entry, sequence) == sequence:
                    alike_entries.append((float(alike[place]), entry))
        alike_entries.sort(key=lambda each: (-each[0], each[1]))
        return [entry.decode() for _, entry in alike_entries[:_MOST_CANDIDATES]]
