"""Train on files, by one process or several.

    python -m components.train --dataset DIR --model OUT [--champion DIR]
    torchrun --nproc-per-node 4 -m components.train --dataset DIR --model OUT ...

On Kubeflow Trainer a TrainJob with this command and `spec.trainer.numNodes` spreads it over nodes.
"""

import argparse
import sys
from pathlib import Path

from components.shared.environment import StepSettings
from components.shared.lease import keep_lease
from components.train.recipe import Recipe
from components.train.spread import here, join
from components.train.step import run
from shield.errors import ShieldError
from shield.run_files import DATASET, DatasetFacts


def main(arguments: list[str] | None = None) -> int:
    """Train; 0 unless it failed. The first process prints the digest."""
    defaults = Recipe()
    parser = argparse.ArgumentParser(prog="python -m components.train", description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="from build_dataset")
    parser.add_argument("--model", type=Path, required=True, help="package directory to write")
    parser.add_argument("--champion", type=Path, help="package to go on from; else the base model")
    parser.add_argument(
        "--linear", type=Path, help="from baseline; else the encoder alone predicts"
    )
    parser.add_argument("--curves", type=Path, help="HTML file for the loss curves")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--max-tokens", type=int, default=defaults.max_tokens)
    parser.add_argument("--token-budget", type=int, default=defaults.token_budget)
    options = parser.parse_args(arguments)
    settings = StepSettings()
    try:
        join()
        facts = DatasetFacts.read(options.dataset / DATASET)
        if here().rank == 0:
            keep_lease(facts.lease, settings)
        options.model.mkdir(parents=True, exist_ok=True)
        package = run(
            options.dataset,
            options.champion,
            options.model,
            settings=settings,
            recipe=Recipe(
                seed=options.seed,
                epochs=options.epochs,
                learning_rate=options.learning_rate,
                max_tokens=options.max_tokens,
                token_budget=options.token_budget,
                threads=settings.threads,
                precision=settings.precision,
            ),
            run_id=facts.run_id,
            created_at=facts.sealed_at,
            linear=options.linear,
            curves=options.curves,
            checkpoint_seconds=settings.checkpoint_seconds,
        )
    except (ShieldError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if here().rank == 0:
        print(package.digest)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
