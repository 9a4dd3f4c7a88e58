"""Look for drift, once a day; where there is some, retrain now instead of next week.

    python -m pipelines.drift --model-type sms [--run-id X] [--only-look] [--json]

The look and the retraining that it asks for are one run: what was seen is kept as its reason. On
Kubeflow Pipelines `pipelines.drift_graph` does the same.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.drift_watch.signals import DriftLimits
from components.drift_watch.step import run
from components.shared.environment import StepSettings, open_artifacts, open_client
from pipelines.run import progress_printer, record_steps, run_weekly
from shield.errors import ShieldError
from shield.labels import ModelType
from shield.retraining import WatchParameters, parsed


def main(arguments: list[str] | None = None) -> int:
    """Look, and retrain if need be; 0 unless something failed."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.drift", description=__doc__)
    parser.add_argument("--model-type", required=True, choices=[kind.value for kind in ModelType])
    parser.add_argument("--run-id", help="of the look, and of the retraining that it asks for")
    parser.add_argument("--alpha", type=float, default=DriftLimits().alpha)
    parser.add_argument("--only-look", action="store_true", help="never start a retraining")
    parser.add_argument("--min-feedback", type=int, default=WatchParameters().min_feedback)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="of the retraining"
    )
    parser.add_argument(
        "--runs-dir", type=Path, default=Path(os.environ.get("SHIELD_HOME", ".")) / "runs"
    )
    parser.add_argument(
        "--hand-over", action="store_true", help="leave the challenger to `pipelines.register`"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        told = watch(options, ModelType(options.model_type), datetime.now(UTC))
    except (ShieldError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if options.json:
        print(json.dumps(told))  # noqa: T201
    else:
        print(f"{told['modelType']}: {told['verdict']}")  # noqa: T201
        for signal in told["signals"]:
            print(f"  {signal['message']}")  # noqa: T201
    failed = told.get("retraining", {}).get("outcome") == "failed"
    if failed:
        print(told["retraining"]["message"], file=sys.stderr)  # noqa: T201
    return 1 if failed else 0


def watch(options: argparse.Namespace, kind: ModelType, now: datetime) -> dict[str, Any]:
    """Look; where drift asks for it, go on as a retraining. Return what was seen and done."""
    parameters = parsed(options.set)  # before anything is looked at
    run_id = options.run_id or f"drift-{kind}-{now:%Y%m%dT%H%M%SZ}"
    settings, store = StepSettings(), open_artifacts()
    with open_client(settings) as client, tempfile.TemporaryDirectory(prefix="drift-") as folder:
        look = run(
            client,
            store,
            Path(folder) / "drift.json",
            model_type=kind,
            run_id=run_id,
            now=now,
            limits=DriftLimits(alpha=options.alpha),
            cache=Path(folder) / "taught",
            goes_on=not options.only_look,
            engine=settings.engine,
        )
    told = look.model_dump(mode="json", by_alias=True)
    if look.retrains:
        result = run_weekly(
            model_type=kind.value,
            runs_dir=options.runs_dir,
            run_id=run_id,
            min_feedback=int(parameters.pop("min_feedback", options.min_feedback)),
            parameters=parameters,
            hand_over=options.hand_over,
            on_progress=progress_printer(options.json),
        )
        if result.outcome != "failed":
            record_steps(result)
        told["retraining"] = asdict(result)
    return told


if __name__ == "__main__":
    sys.exit(main())
