"""Build the dataset of a run again, to look into it: `python -m components.build_dataset`.

    python -m components.build_dataset runs/.../collect/inputs DIRECTORY

The run's own is gone with the run. This one is yours to delete: no erasure reaches it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from components.build_dataset.step import run
from components.shared.environment import open_artifacts
from shield.errors import ShieldError


def main(arguments: list[str] | None = None) -> int:
    """Build from the command line."""
    parser = argparse.ArgumentParser(prog="python -m components.build_dataset", description=__doc__)
    parser.add_argument("inputs", type=Path, help="what `collect` has written")
    parser.add_argument("directory", type=Path, help="is made")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    options.directory.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="dataset-") as cache:
            facts = run(
                options.inputs,
                open_artifacts(),
                options.directory,
                options.directory / "card.html",
                cache=Path(cache),
                seed=options.seed,
            )
    except ShieldError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{options.directory}: {facts.taught} corrections teach.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
