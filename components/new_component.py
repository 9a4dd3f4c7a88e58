"""Write a new component that runs and is tested at once: `make component NAME=...`."""

import argparse
import keyword
import re
import sys
from pathlib import Path

_FILES = {
    "__init__.py": '"""{title}: say in one sentence what it does."""\n',
    "step.py": '''"""{title}: plain files in, plain files out; it runs and is tested anywhere."""

import json
from pathlib import Path

import polars as pl

from components.shared import messages


def run(dataset: Path, result: Path, *, longest: int) -> int:
    """Count the training messages longer than `longest` characters and write the count.

    Args:
        dataset: Directory of `build_dataset`.
        result: JSON file to write.
        longest: Characters.

    Returns:
        The count.
    """
    table = messages.read(dataset / "train.parquet")
    count = table.filter(pl.col("text").str.len_chars() > longest).height
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps({{"longer": count, "of": table.height}}))
    return count
''',
    "component.py": '''"""KFP signature of `{name}`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def {name}(
    dataset: Input[Dataset],
    result: Output[Artifact],
    longest: int = 160,
) -> int:
    """Count the long training messages.

    Args:
        dataset: From `build_dataset`.
        result: The count, as JSON.
        longest: Characters.

    Returns:
        The count; a later step may branch on it.
    """
    from pathlib import Path

    from components.shared.datasets import at_hand
    from components.shared.environment import end_with_runner, open_artifacts
    from components.{name}.step import run

    end_with_runner()
    with at_hand(open_artifacts(), Path(dataset.path)) as messages:
        return run(messages, Path(result.path), longest=longest)
''',
    "test_{name}.py": """import json
from pathlib import Path

import polars as pl

from components.shared import messages
from components.{name}.component import {name}
from components.{name}.step import run


def test_it_counts_the_messages_that_are_longer(tmp_path: Path) -> None:
    table = pl.DataFrame({{"id": ["a", "b"], "text": ["short", "x" * 200], "label": [0, 1]}})
    messages.write(table.with_columns(source=pl.lit("test")), tmp_path / "train.parquet")
    assert run(tmp_path, tmp_path / "result.json", longest=160) == 1
    assert json.loads((tmp_path / "result.json").read_text()) == {{"longer": 1, "of": 2}}


def test_its_signature_compiles() -> None:
    assert set({name}.component_spec.inputs) == {{"dataset", "longest"}}
""",
    "README.md": """# {name}

Say what it is for, and when it is not worth running.

| In | |
|---|---|
| `dataset` | directory of `build_dataset` |
| `longest` | characters |

| Out | |
|---|---|
| `result` | JSON |

Run it alone:

```python
from pathlib import Path
from components.{name}.step import run

run(Path("dataset"), Path("result.json"), longest=160)
```
""",
}


def write(name: str, rooms: Path) -> Path:
    """Write the room of component `name` below `rooms` and return it.

    Raises:
        ValueError: Not a name that Python and KFP both take, or one that is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name) or keyword.iskeyword(name):
        raise ValueError(f"{name!r} is no component name. Use small letters, digits and _.")
    room = rooms / name
    if room.exists():
        raise ValueError(f"{room} exists already. Choose another name, or work on that one.")
    title = name.replace("_", " ").capitalize()
    room.mkdir()
    for file, content in _FILES.items():
        written = _sort_imports(content.format(name=name, title=title))
        (room / file.format(name=name)).write_text(written)
    return room


def _sort_imports(text: str) -> str:
    """Sort neighbouring imports of ours: where `shared` stands depends on the component's name."""
    return re.sub(
        r"(?m)(?:^ *from components\..*\n)+",
        lambda block: "".join(sorted(block[0].splitlines(keepends=True))),
        text,
    )


def main(arguments: list[str] | None = None) -> int:
    """Write a component from the command line."""
    parser = argparse.ArgumentParser(prog="make component", description=__doc__)
    parser.add_argument("name")
    options = parser.parse_args(arguments)
    try:
        room = write(options.name, Path(__file__).parent)
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    place = f"components/{room.name}"
    told = f"Wrote {place}. Try it: .venv/bin/pytest {place}\nThen place it in pipelines/graph.py"
    print(f"{told}: docs/components.md says how.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
