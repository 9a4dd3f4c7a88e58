"""The parameters of a retraining: names, types, bounds, defaults, units. This is the only list.

The graphs and Kubeflow's form, the signatures of the steps, `pipelines.run`, `--set` of
`shieldctl pipeline run`, deployment files, the chart's schema and `docs/settings.md` are made from
it by `make graphs manifests`. To add one: a field here that names its steps, and its use in the
`step.py` of each, as an argument of that name; one of `TrainingParameters` is in the recipe.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shield.errors import Invalid
from shield.gates import GateLimits


def _field(unit: str, steps: str, **bounds: Any) -> Any:
    return Field(json_schema_extra={"unit": unit, "steps": steps}, **bounds)


class TrainingParameters(BaseModel):
    """What the recipe of `train` holds: a field here is read there, as `recipe.NAME`."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    seed: Annotated[
        int, _field("", "build_dataset train baseline evaluate", ge=0, le=2**31 - 1)
    ] = 0
    """Seed of all random draws."""
    epochs: Annotated[int, _field("passes", "train", ge=1, le=100)] = 3
    """Maximum number of passes over the training data."""
    learning_rate: Annotated[float, _field("", "train", gt=0, le=1)] = 5e-5
    """Peak learning rate."""
    max_tokens: Annotated[int, _field("tokens", "train", ge=8, le=512)] = 128
    """Longest row; longer texts are evaluated in windows of this length."""
    token_budget: Annotated[int, _field("tokens", "train", ge=32, le=1_000_000)] = 1024
    """Tokens per training step, padding included."""


class RetrainingParameters(TrainingParameters):
    """What a weekly retraining may be told, for one run or in a deployment."""

    min_feedback: Annotated[
        int, _field("corrections", "collect evaluate gate", ge=1, le=10_000_000)
    ] = 50
    """The run is skipped if fewer corrections than this are approved."""
    replay: Annotated[int, _field("messages", "build_dataset", ge=0, le=10_000_000)] = 0
    """Messages of the base corpus to train on again; 0: by the number of corrections."""
    per_reporter: Annotated[int, _field("corrections", "build_dataset", ge=1, le=10_000_000)] = 50
    """Maximum number of corrections from one reporter. A champion keeps what it has learned of
    more: `start=base` forgets it."""
    per_campaign: Annotated[int, _field("wordings", "build_dataset", ge=1, le=10_000_000)] = 20
    """Maximum number of wordings of one campaign. A champion keeps what it has learned of more:
    `start=base` forgets it."""
    start: Annotated[Literal["champion", "base", "better"], _field("", "train baseline")] = (
        "champion"
    )
    """What a training goes on from: the champion, the base model and no linear half, or the better
    of champion and base (twice as long)."""
    fpr_budget: Annotated[float, _field("share", "train baseline evaluate", gt=0, lt=1)] = 0.01
    """Share of harmless messages that may be flagged; it sets the operating point."""
    lease_seconds: Annotated[int, _field("seconds", "collect", ge=60, le=30 * 86400)] = 21600
    """The corrections are released this long after the run last renewed its lease."""
    limits: Annotated[dict[str, Any], _field("", "evaluate gate")] = Field(default_factory=dict)
    """Limits of the gates that differ from the defaults, e.g. `{"accuracyDrop": 0.005}`."""

    @field_validator("limits")
    @classmethod
    def _known_limits(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        GateLimits.model_validate(parameters)
        return parameters


class WatchParameters(RetrainingParameters):
    """What a drift watch may be told: the retraining that it asks for, and how sure it must be."""

    min_feedback: Annotated[
        int, _field("corrections", "collect evaluate gate", ge=1, le=10_000_000)
    ] = 20
    """As for the weekly retraining; fewer are enough once drift was detected."""
    alpha: Annotated[float, _field("probability", "drift_watch", gt=0, lt=1)] = 0.05
    """Mean number of unnecessary retrainings a year."""


def steps_of(name: str, kind: type[RetrainingParameters] = RetrainingParameters) -> list[str]:
    """Return the steps that take a parameter."""
    extra = kind.model_fields[name].json_schema_extra
    return str(extra["steps"]).split() if isinstance(extra, dict) else []


def of_step(
    step: str,
    arguments: Mapping[str, Any],
    kind: type[RetrainingParameters] = RetrainingParameters,
) -> dict[str, Any]:
    """Return what a step was given of the retraining's parameters, out of all its arguments."""
    return {name: arguments[name] for name in kind.model_fields if step in steps_of(name, kind)}


def checked(
    parameters: Mapping[str, Any], kind: type[RetrainingParameters] = RetrainingParameters
) -> dict[str, Any]:
    """Return parameters as they are passed on: those that were given, with their types.

    Raises:
        Invalid: An unknown name, a wrong type or a value out of bounds. Names every one, and what
            there is.
    """
    try:
        return kind.model_validate(parameters).model_dump(exclude_unset=True)
    except ValidationError as error:
        faults = [_fault(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors()]
        raise Invalid(f"{' '.join(faults)} Parameters: {', '.join(kind.model_fields)}.") from error


def parsed(
    pairs: Iterable[str], kind: type[RetrainingParameters] = RetrainingParameters
) -> dict[str, Any]:
    """Turn `name=value` into parameters; values are read as JSON where they are.

    Raises:
        Invalid: As `checked`, or a pair without `=`.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise Invalid(f"--set takes name=value, not {pair!r}.")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return checked(values, kind)


def described(kind: type[RetrainingParameters] = RetrainingParameters) -> list[dict[str, str]]:
    """Return every parameter for people: name, default, bounds, unit, meaning."""
    signs = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
    rows = []
    for name, schema in kind.model_json_schema()["properties"].items():
        bounds = [f"{sign} {schema[key]}" for key, sign in signs.items() if key in schema]
        default = kind.model_fields[name].get_default(call_default_factory=True)
        rows.append(
            {
                "name": name,
                "default": json.dumps(default),
                "bounds": ", ".join(bounds) or " | ".join(schema.get("enum", [])),
                "unit": schema.get("unit", ""),
                "meaning": " ".join(schema.get("description", "").split()),
            }
        )
    return rows


def _fault(where: tuple[int | str, ...], kind: str, said: str) -> str:
    name = ".".join(str(part) for part in where)
    if kind == "extra_forbidden":
        return f"There is no parameter {name}."
    return f"{name}: {said}."
