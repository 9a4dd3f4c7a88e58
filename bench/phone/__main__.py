"""Measure the judge on the phone, and write `bench/results/phone.json`: `python -m bench.phone`."""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.ending import end_in_order
from bench.outcome import Aim, Outcome
from bench.phone import chromium, encoder, pictures, quality

RESULTS = Path("bench/results/phone.json")


def main(arguments: list[str] | None = None) -> int:
    """Measure; return 0, missed aims or not: they are results, not failures."""
    parser = argparse.ArgumentParser(prog="python -m bench.phone", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small and quick; nothing is kept")
    names = ("quality", "browser", "pictures", "encoder")
    parser.add_argument("--only", choices=names, help="renew one part")
    parser.add_argument(
        "--package", type=Path, help="for the part encoder: a package instead of a training"
    )
    parser.add_argument("--seeds", type=int, default=3, help="judges to train for the quality")
    asked = parser.parse_args(arguments)
    seeds = tuple(range(1 if asked.short else asked.seeds))
    parts: dict[str, Callable[[Path], Outcome]] = {
        "quality": lambda folder: quality.run(folder, seeds=seeds, short=asked.short),
        "browser": lambda folder: chromium.run(folder, short=asked.short),
        "pictures": lambda folder: pictures.run(folder, short=asked.short),
        "encoder": lambda folder: encoder.run(folder, short=asked.short, package=asked.package),
    }
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"figures": {}}
    for name, part in parts.items():
        if asked.only not in (None, name):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = part(Path(folder))
        kept["figures"][name] = {
            **found.figures,
            "aims": [asdict(aim) for aim in found.aims],
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - began, 1),
        }
        for aim in found.aims:
            print(_line(aim), flush=True)
    if asked.short:
        return 0
    results = {
        "name": "phone",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": kept["figures"],
        "aims": [aim for name in parts for aim in kept["figures"].get(name, {}).get("aims", [])],
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def _line(aim: Aim) -> str:
    mark = "met   " if aim.met else "MISSED"
    return f"{mark} {aim.name}: {aim.measured} (goal {aim.goal})"


if __name__ == "__main__":
    end_in_order()
    raise SystemExit(main())
