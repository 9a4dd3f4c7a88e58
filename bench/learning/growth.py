"""`build_dataset` over more and more corrections: time and peak memory, each size a process."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from bench.learning.lab import WORK, Lab, sms_heads, table
from bench.learning.outcome import Aim, Outcome, Scale
from components.build_dataset.corrections import Caps
from shield.labels import ModelType

LIMIT_GIB = 4.0
TIME_LIMIT_SECONDS = 1500
SIZES = (100_000, 1_000_000, 10_000_000)


def run(scale: Scale) -> Outcome:
    """Measure each size in a process of its own; a size that does not finish is told as such."""
    sizes = SIZES if not scale.short else (2_000,)
    rows = []
    for size in sizes:
        started = time.perf_counter()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "bench.learning.growth", str(size)],
                capture_output=True,
                text=True,
                timeout=TIME_LIMIT_SECONDS,
                check=True,
            )
            rows.append(json.loads(done.stdout.splitlines()[-1]))
        except subprocess.TimeoutExpired:
            rows.append({"rows": size, "unfinished_after": round(time.perf_counter() - started)})
        except subprocess.CalledProcessError as error:
            rows.append({"rows": size, "failed": error.stderr.strip().splitlines()[-1][:300]})
    done_rows = [row for row in rows if "seconds" in row]
    peak = max((row["peak_gib"] for row in done_rows), default=0.0)
    per = [row["seconds"] / row["rows"] * 1e6 for row in done_rows]
    largest = max((row["rows"] for row in done_rows), default=0)
    told = "; ".join(
        f"{row['rows']:,}: {row['seconds']:.0f} s, {row['peak_gib']:.2f} GiB"
        if "seconds" in row
        else f"{row['rows']:,}: {row.get('failed') or 'not finished'}"
        for row in rows
    )
    return Outcome(
        {"runs": rows},
        [
            Aim(
                "growth: peak memory of build_dataset up to 10 M rows",
                f"<= {LIMIT_GIB:.0f} GiB",
                told,
                largest >= 10_000_000 and peak <= LIMIT_GIB,
                f"Measured up to {largest:,} rows; each had {TIME_LIMIT_SECONDS // 60} minutes.",
            ),
            Aim(
                "growth: time near linear",
                "seconds per row grow by less than half from the second to the last size",
                ", ".join(f"{value:.0f} s per million" for value in per),
                len(per) >= 2 and per[-1] <= 1.5 * per[-2],
            ),
        ],
    )


def _measure(size: int) -> dict[str, float]:
    """Seal `size` corrections in ten batches and build the dataset of the last one."""
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
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        lab = Lab(Path(folder), ModelType.SMS, base)
        words = np.array(sorted({word for text in texts for word in text.split()}), dtype=object)
        for batch in range(10):
            many = size // 10
            rows = rng.integers(0, len(texts), many)
            # Four words of its own make most corrections a campaign of their own, as in life.
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
        del said, rows, own, words
        started = time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        dataset = lab.dataset(caps=Caps(per_reporter=200))
        seconds = time.perf_counter() - started
        kept = pl.read_parquet(dataset / "train.parquet").height
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "rows": size,
        "seconds": round(seconds, 1),
        "peak_gib": round(peak / 2**20, 2),
        "peak_before_gib": round(before / 2**20, 2),
        "train_rows": kept,
    }


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]))))
