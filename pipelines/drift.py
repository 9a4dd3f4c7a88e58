"""Look for drift, once a day; where there is some, retrain now instead of next week.

python -m pipelines.drift --model-type sms [--only-look] [--json]
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from components.drift_watch.step import RETRAIN, DriftLimits, run
from components.environment import open_client
from pipelines.run import progress_printer, run_weekly
from shield.errors import ShieldError
from shield.labels import ModelType


def main(arguments: list[str] | None = None) -> int:
    """Look, and retrain if need be; 0 unless something failed."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.drift", description=__doc__)
    parser.add_argument("--model-type", required=True, choices=[kind.value for kind in ModelType])
    parser.add_argument("--alpha", type=float, default=DriftLimits().alpha)
    parser.add_argument("--only-look", action="store_true", help="never start a retraining")
    parser.add_argument("--min-feedback", type=int, default=20)
    parser.add_argument(
        "--runs-dir", type=Path, default=Path(os.environ.get("SHIELD_HOME", ".")) / "runs"
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    kind, now = ModelType(given.model_type), datetime.now(UTC)
    try:
        with open_client() as client, tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "drift.json"
            limits = DriftLimits(alpha=given.alpha)
            verdict = run(client, report, model_type=kind, now=now, limits=limits)
            told = json.loads(report.read_bytes())
        if verdict == RETRAIN and not given.only_look:
            result = run_weekly(
                model_type=kind.value,
                runs_dir=given.runs_dir,
                # One early retraining a day: a second look today finishes the same run.
                run_id=f"early-{kind}-{now:%Y-%m-%d}",
                min_feedback=given.min_feedback,
                on_progress=progress_printer(given.json),
            )
            told["retraining"] = asdict(result)
    except ShieldError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if given.json:
        print(json.dumps(told))  # noqa: T201
    else:
        print(f"{kind}: {verdict}")  # noqa: T201
        for signal in told["signals"]:
            print(f"  {signal['message']}")  # noqa: T201
    return 1 if told.get("retraining", {}).get("outcome") == "failed" else 0


if __name__ == "__main__":
    sys.exit(main())
