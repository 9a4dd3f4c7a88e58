"""`build_dataset` over more and more corrections: time and peak memory, each size a process.

The process is held to the limit by the kernel (a control group), where that can be had. Its
anonymous memory is told beside: the text stays on disk, in pages that the kernel takes back when it
needs to.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.ending import end_in_order
from bench.learning import confined
from bench.learning.lab import WORK, Lab, sms_heads, table
from bench.outcome import Aim, Outcome, Scale
from components.build_dataset.corrections import Caps
from components.build_dataset.step import run as build_dataset
from shield.artifacts.directory import DirectoryStore
from shield.labels import ModelType

LIMIT_GIB = 4.0
TIME_LIMIT_SECONDS = 1500
SIZES = (100_000, 1_000_000, 10_000_000)


def run(scale: Scale) -> Outcome:
    """Measure each size in a process of its own; a size that does not finish is told as such."""
    sizes = SIZES if not scale.short else (2_000,)
    rows = [_tried(size) for size in sizes]
    done = [row for row in rows if "seconds" in row]
    peak = max((row["peak_gib"] for row in done), default=0.0)
    per = [row["seconds"] / row["rows"] * 1e6 for row in done]
    largest = max((row["rows"] for row in done), default=0)
    held = all(row["confined"] for row in done)
    told = "; ".join(
        f"{row['rows']:,}: {row['seconds']:.0f} s, {row['peak_gib']:.2f} GiB"
        if "seconds" in row
        else f"{row['rows']:,}: {row['failed']}"
        for row in rows
    )
    return Outcome(
        {"runs": rows, "limit_gib": LIMIT_GIB},
        [
            Aim(
                "growth: peak memory of build_dataset up to 10 M rows",
                f"<= {LIMIT_GIB:.0f} GiB",
                f"{told} ({'held to the limit by the kernel' if held else 'not confined'})",
                largest >= SIZES[-1] and peak <= LIMIT_GIB,
                f"Measured up to {largest:,} rows; each had {TIME_LIMIT_SECONDS // 60} minutes.",
            ),
            Aim(
                "growth: time near linear",
                "seconds per row grow by less than half from the second to the last size",
                ", ".join(f"{value:.0f} s per million" for value in per),
                len(per) >= 2 and per[-1] <= 1.5 * per[-2],
                "The smallest size is mostly what every size costs once: a look at the newest "
                "20,000 corrections by several small models.",
            ),
        ],
    )


def _tried(size: int) -> dict[str, Any]:
    WORK.mkdir(parents=True, exist_ok=True)
    limit = int(LIMIT_GIB * 2**30)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        command = [sys.executable, "-m", "bench.learning.growth"]
        subprocess.run([*command, "seal", folder, str(size)], check=True)
        try:
            told, held = confined.run([*command, "build", folder], limit, TIME_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return {"rows": size, "failed": f"not finished after {TIME_LIMIT_SECONDS} s"}
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip().splitlines() or ["killed for want of memory"])[-1]
            return {"rows": size, "failed": f"{last[:300]} (exit status {error.returncode})"}
    return {"rows": size, **json.loads(told.splitlines()[-1]), "confined": held}


def _seal(folder: Path, size: int) -> None:
    """Seal `size` corrections in ten batches."""
    rng = np.random.default_rng(0)
    heads = sms_heads()
    texts = np.array(heads["text"].to_list(), dtype=object)
    labels = heads["label"].to_numpy()
    base_rows = rng.permutation(len(texts))[:1500]
    base = {
        name: table(texts[rows].tolist(), labels[rows], name)
        for name, rows in zip(
            ("train", "valid", "golden"), np.array_split(base_rows, 3), strict=True
        )
    }
    lab = Lab(folder, ModelType.SMS, base)
    words = np.array(sorted({word for text in texts for word in text.split()}), dtype=object)
    for batch in range(10):
        many = size // 10
        rows = rng.integers(0, len(texts), many)
        # Twelve words of its own make most corrections a campaign of their own, as in life.
        own = words[rng.integers(0, len(words), (many, 12))]
        said = [f"{texts[r]} {' '.join(extra)}" for r, extra in zip(rows, own, strict=True)]
        lab.seal(
            pl.DataFrame(
                {
                    "text": said,
                    "label": labels[rows],
                    "reporter": [f"r{n}" for n in rng.integers(0, max(40, size // 20), many)],
                    "trust": rng.uniform(0.2, 1, many).astype(np.float32),
                }
            ),
            batch,
        )
    lab.write_inputs()


def _build(folder: Path) -> dict[str, float]:
    """Build the dataset of the last batch; return what it took."""
    watch = _Watch()
    started = time.perf_counter()
    dataset = folder / "dataset"
    build_dataset(
        folder / "inputs.json",
        DirectoryStore(folder / "store"),
        dataset,
        folder / "card.html",
        cache=folder / "cache",
        caps=Caps(per_reporter=200),
    )
    seconds = time.perf_counter() - started
    kept = pl.scan_parquet(dataset / "train.parquet").select(pl.len()).collect().item()
    return {"seconds": round(seconds, 1), "peak_gib": round(watch.peak, 2), "train_rows": kept}


class _Watch:
    """Looks at this process's anonymous memory ten times a second."""

    def __init__(self) -> None:
        self.peak = 0.0
        """In GiB."""
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            lines = Path("/proc/self/status").read_text().splitlines()
            now = next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
            self.peak = max(self.peak, now / 2**20)
            time.sleep(0.1)


if __name__ == "__main__":
    end_in_order()
    if sys.argv[1] == "seal":
        _seal(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(_build(Path(sys.argv[2]))))
