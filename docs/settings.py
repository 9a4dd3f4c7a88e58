"""Write `docs/settings.md` from the settings classes: `python -m docs.settings [--check]`."""

import argparse
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode

from shield.retraining import WatchParameters, described

ROOMS = ("shield", "api", "serving", "components", "pipelines", "cli")
TARGET = Path(__file__).with_name("settings.md")
HEAD = """# Settings

<!-- Written by `make docs` from the settings classes; a test proves it current. -->

Every setting is an environment variable. A value that cannot work stops the program with one
sentence that names the variable and the cure.

`SHIELD_SECRETS` names a directory (or several, with `:` between) whose files are settings too: each
is called as a variable and holds its value, as a mounted Secret does. What is secret belongs there,
and not into the environment: `SHIELD_DATABASE_URL`, `SHIELD_PAGES_OIDC_CLIENT_SECRET`,
`MLFLOW_TRACKING_TOKEN`, a `SHIELD_API_RATE_STORAGE` with a password, and for S3
`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if there is one, `AWS_SESSION_TOKEN`, which are
read anew every few minutes. A variable wins over a file.
"""


PARAMETERS = """\
For `shieldctl pipeline run TYPE --set NAME=VALUE`, `pipeline.parameters` of the chart,
`parameters` of a deployment file, and Kubeflow's form. The drift watch takes them too, and `alpha`;
its `min_feedback` is 20. From `shield/retraining.py`.
"""


def settings_classes() -> Iterator[type[BaseSettings]]:
    """Yield every settings class, in order of its module: `settings`, or a step's `environment`."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if module.name.rpartition(".")[2] not in ("settings", "environment"):
                continue
            for kind in vars(importlib.import_module(module.name)).values():
                if (
                    isinstance(kind, type)
                    and issubclass(kind, BaseSettings)
                    and kind.__module__ == module.name
                    and kind.model_fields
                ):
                    yield kind


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    if field.default_factory is not None:
        return "*computed*"
    home = str(Path.home())
    value = getattr(field.default, "value", field.default)
    if NoDecode in field.metadata:
        value = ",".join(value)
    return "—" if value is None or value == "" else f"`{str(value).replace(home, '~')}`"


def _type(field: FieldInfo) -> str:
    if "NoDecode" in f"{field.metadata} {field.annotation}":
        return "names, with commas"
    name = getattr(field.annotation, "__name__", str(field.annotation))
    if getattr(field.annotation, "__args__", None):
        name = re.sub(r"\b[\w]+\.", "", str(field.annotation))
    return name.replace("|", "\\|")


def document() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for kind in settings_classes():
        prefix = str(kind.model_config.get("env_prefix", ""))
        summary = re.sub(r"\s+", " ", (kind.__doc__ or "").strip())
        parts += [f"\n## `{kind.__module__}.{kind.__name__}`\n\n{summary}\n"]
        parts += ["\n| Variable | Type | Default | Meaning |\n|---|---|---|---|\n"]
        for name, field in kind.model_fields.items():
            alias = field.validation_alias if isinstance(field.validation_alias, str) else None
            variable = alias or f"{prefix}{name}".upper()
            meaning = re.sub(r"\s+", " ", field.description or "").replace("|", "\\|")
            parts += [f"| `{variable}` | {_type(field)} | {_default(field)} | {meaning} |\n"]
    parts += ["\n## Parameters of a retraining\n\n", PARAMETERS]
    parts += ["\n| Parameter | Default | Bounds | Unit | Meaning |\n|---|---|---|---|---|\n"]
    rows = described()
    rows += [row for row in described(WatchParameters) if row["name"] == "alpha"]
    for row in rows:
        name, *cells = (row[key].replace("|", "\\|") for key in row)
        parts += [f"| `{name}` | {' | '.join(cells)} |\n"]
    return "".join(parts)


def main() -> int:
    """Write the page, or with `--check` tell whether it is current (exit status 1 when not)."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="compare, write nothing")
    if options.parse_args().check:
        current = TARGET.exists() and TARGET.read_text() == document()
        if not current:
            print("docs/settings.md is not current: run `make docs`.", file=sys.stderr)  # noqa: T201
        return 0 if current else 1
    TARGET.write_text(document())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
