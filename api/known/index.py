"""Find likely copies of a message among a million sketches, in memory, within microseconds.

Each band of a sketch (three rows of 16 bits) is a number. The rows are grouped into bands twice, in
different ways, so that a paraphrase that shares no band of one grouping mostly shares one of the
other. The numbers of each band are sorted, and as they are hashes, a table of where each of their
leading bits begins narrows a look-up to about ten neighbours. New entries are added as small
segments, which are merged later.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shield.similarity import PERMUTATIONS, ROWS_PER_BAND, Sketches

_GROUPED = np.arange(PERMUTATIONS)
_ROWS_OF = np.concatenate(
    [_GROUPED.reshape(-1, ROWS_PER_BAND), _GROUPED.reshape(ROWS_PER_BAND, -1).T]
)
"""Rows of each band, shape (bands, ROWS_PER_BAND). Two bands have at most one row in common."""
_BANDS = len(_ROWS_OF)
_LEAST = 0.25
"""Least estimated similarity of a candidate. Lower than that of copies, since a copy may lack a
sentence; the caller compares candidates in full."""
_MOST_CANDIDATES = 5
_MOST_SEGMENTS = 4
_NUMBER_BITS = 48
_MOST_TABLE_BITS = 16
_PLACES = np.array([32, 16, 0], dtype=np.uint64)

Rows = NDArray[np.uint16]
"""Shape (entries, PERMUTATIONS): the lower half of each row of a sketch."""


def _numbers(parts: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """Return the numbers of bands, whose rows are the last axis."""
    return np.asarray((parts.astype(np.uint64) << _PLACES).sum(axis=-1, dtype=np.uint64))


@dataclass(frozen=True)
class _Segment:
    keys: NDArray[np.uint32]
    """Lower halves of all numbers, sorted by band and number. The table stands for the rest; where
    a small segment's does not, a false candidate is found out by its rows."""
    starts: NDArray[np.int32]
    """Place of the first key with each band and each value of a number's leading bits, and the
    end."""
    bits: int
    """How many leading bits the table knows."""
    owners: NDArray[np.int32]
    rows: Rows
    ids: NDArray[np.bytes_]
    sequences: NDArray[np.int64]

    @classmethod
    def of(cls, ids: NDArray[np.bytes_], sequences: NDArray[np.int64], rows: Rows) -> "_Segment":
        bits = min(max(len(rows).bit_length() - 4, 0), _MOST_TABLE_BITS)
        firsts = np.arange(1 << bits, dtype=np.uint64) << np.uint64(_NUMBER_BITS - bits)
        keys = np.empty((_BANDS, len(rows)), dtype=np.uint32)
        owners = np.empty((_BANDS, len(rows)), dtype=np.int32)
        starts = np.full((_BANDS << bits) + 1, _BANDS * len(rows), dtype=np.int32)
        for band in range(_BANDS):
            numbers = _numbers(rows[:, _ROWS_OF[band]])
            order = np.argsort(numbers)
            numbers = numbers[order]
            owners[band], keys[band] = order, numbers.astype(np.uint32)
            begins = np.searchsorted(numbers, firsts) + band * len(rows)
            starts[band << bits : (band + 1) << bits] = begins
        return cls(keys.ravel(), starts, bits, owners.ravel(), rows, ids, sequences)

    def holding(self, sought: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the entries that share a band with a sketch, by its numbers, each once."""
        leading = (sought >> np.uint64(_NUMBER_BITS - self.bits)).astype(np.intp)
        slots = leading + (np.arange(_BANDS) << self.bits)
        low = self.starts[slots]
        counts = self.starts[slots + 1] - low
        ends = np.cumsum(counts)
        places = np.repeat(low - (ends - counts), counts) + np.arange(ends[-1])
        same = self.keys[places] == np.repeat(sought.astype(np.uint32), counts)
        return np.unique(self.owners[places[same]]) if same.any() else self.owners[:0]


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
            for entry in numbers.keys() - held:
                self._changed.pop(entry, None)  # of one that was removed, and merged away since
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
        sought = _numbers(row[_ROWS_OF])
        alike_entries: list[tuple[float, bytes]] = []
        for segment in self._segments:
            owners = segment.holding(sought)
            if not owners.size:
                continue
            alike = np.mean(segment.rows[owners] == row, axis=1)
            near = np.flatnonzero(alike >= _LEAST)
            for place in near[np.argsort(-alike[near])][: 2 * _MOST_CANDIDATES]:
                owner = int(owners[place])
                entry, sequence = bytes(segment.ids[owner]), int(segment.sequences[owner])
                if self._changed.get(entry, sequence) == sequence:
                    alike_entries.append((float(alike[place]), entry))
        alike_entries.sort(key=lambda each: (-each[0], each[1]))
        return [entry.decode() for _, entry in alike_entries[:_MOST_CANDIDATES]]
