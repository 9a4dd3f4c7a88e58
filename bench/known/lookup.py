"""What a look-up costs at a million entries, in processor time and in memory."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from api.kit import signature
from api.kit.keyring import KeyRing
from api.known.index import KnownIndex
from bench.learning.lab import sms_heads
from bench.outcome import Aim, Outcome
from shield.similarity import PERMUTATIONS, form

ENTRIES = 1_000_000
MOST_MS, MOST_GIB = 0.3, 1.0
_ASKED = 2_000
_COMMAND = "from bench.known.lookup import measure; measure({entries}, {seed})"


def run(folder: Path, *, seed: int, short: bool) -> Outcome:
    """Measure in a process of its own, so that its memory is its own."""
    entries = 20_000 if short else ENTRIES
    command = _COMMAND.format(entries=entries, seed=seed)
    told = subprocess.run(
        [sys.executable, "-c", command], check=True, capture_output=True, text=True
    )
    figures = json.loads(told.stdout.splitlines()[-1])
    return Outcome(
        figures,
        [
            Aim(
                f"processor time of a look-up at {entries:,} entries",
                f"<= {MOST_MS} ms",
                f"{figures['lookup_ms']:.3f} ms, and {figures['signing_ms']:.3f} ms to fold and "
                "sketch the message",
                figures["lookup_ms"] <= MOST_MS,
                "Real text messages are asked for; the entries are random, as strangers are. Each "
                "scan is folded anyway, for its fingerprint.",
            ),
            Aim(
                f"memory of {entries:,} entries",
                f"<= {MOST_GIB:g} GiB",
                f"{figures['gib']:.2f} GiB held, {figures['peak_gib']:.2f} GiB while loading",
                figures["gib"] <= MOST_GIB,
                "What the process holds beyond what it held before.",
            ),
        ],
    )


def measure(entries: int, seed: int) -> None:
    """Load entries, look messages up, and print what it cost."""
    rng = np.random.default_rng(seed)
    texts = sms_heads()["text"].to_list()[:_ASKED]
    ring = KeyRing("a" * 8, {"a" * 8: b"x" * 32}, b"l" * 32)
    before = _resident()
    index = KnownIndex()
    for start in range(0, entries, 250_000):
        many = min(250_000, entries - start)
        rows = rng.integers(0, 2**16, (many, PERMUTATIONS), dtype=np.uint16)
        ids = [f"{start + place:032x}" for place in range(many)]
        index.change(ids, range(start, start + many), rows)
    del rows, ids
    held = _resident() - before
    peak = _resident("VmHWM") - before
    for text in texts[:100]:
        signature.sketch(form(text), ring)
    began = time.process_time()
    sketches = [signature.sketch(form(text), ring) for text in texts]
    signed = time.process_time()
    for sketch in sketches:
        index.candidates(sketch)
    ended = time.process_time()
    print(
        json.dumps(
            {
                "entries": len(index),
                "asked": len(texts),
                "signing_ms": (signed - began) / len(texts) * 1000,
                "lookup_ms": (ended - signed) / len(texts) * 1000,
                "gib": held / 2**30,
                "peak_gib": peak / 2**30,
            }
        )
    )


def _resident(name: str = "VmRSS") -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise ValueError(name)
