"""Gives pipelines and steps the retraining's parameters, so that each is shown by its name.

A pipeline's signature is made when it is compiled. That of a step must stand in its source, which
KFP sends to the pod, so it is written there: `python -m pipelines.compile`.
"""

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, get_origin

from shield.retraining import RetrainingParameters, steps_of

_RUN: dict[str, Any] = {"model_type": inspect.Parameter.empty, "run_id": ""}
"""What names a run; no parameter of the retraining."""


def with_parameters(
    body: Callable[[Mapping[str, Any]], None],
    kind: type[RetrainingParameters],
    name: str,
    **more: str,
) -> Callable[..., None]:
    """Return a function that calls `body` with its arguments by name, and shows them all to KFP.

    Args:
        body: Builds the graph.
        kind: Whose fields become arguments, after `model_type` and `run_id`.
        name: Of the function.
        **more: Further texts that name a run, with their defaults; they stand behind `run_id`.
    """
    shown = [_shown(each, str, default) for each, default in {**_RUN, **more}.items()]
    for each, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown.append(_shown(each, _plain(field.annotation), default))

    def graph(*given: Any) -> None:
        body(dict(zip((each.name for each in shown), given, strict=True)))

    graph.__name__ = name
    graph.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    return graph


def taken(component: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the retraining that a component has an input for."""
    inputs = component.component_spec.inputs
    return {name: given[name] for name in RetrainingParameters.model_fields if name in inputs}


def _plain(annotation: Any) -> type:
    """Return the type that KFP knows: of a choice of texts `str`, of any mapping `dict`."""
    if annotation in (int, float):
        kind: type = annotation
        return kind
    return dict if get_origin(annotation) is dict else str


def _shown(name: str, annotation: type, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def signed(source: str, step: str, kind: type[RetrainingParameters] = RetrainingParameters) -> str:
    """Return the source of a `component.py` with the step's parameters in signature and docstring.

    Those of `kind` stand last, in its order; all other arguments stay as they are.
    """
    known = "|".join(kind.model_fields)
    names = [name for name in kind.model_fields if step in steps_of(name, kind)]
    head, end, body = source.partition("\n) ->")
    head = re.sub(rf"\n    (?:{known}): [^\n]*", "", head)
    lines = [_argument(name, kind) for name in names]
    answer, opened, rest = body.partition("    Args:\n")
    entries, closed, code = rest.partition(
        "\n\n" if "\n\n" in rest.split('"""')[0] else '\n    """'
    )
    entries = re.sub(rf"(?m)^        (?:{known}): .*(?:\n {{12}}.*)*\n?", "", entries).rstrip("\n")
    told = "".join(f"\n{_told(name, kind)}" for name in names)
    return f"{head}{''.join(lines)}{end}{answer}{opened}{entries}{told}{closed}{code}"


def _argument(name: str, kind: type[RetrainingParameters]) -> str:
    field = kind.model_fields[name]
    shown, default = _plain(field.annotation), field.get_default(call_default_factory=True)
    note = "  # type: ignore[type-arg]  # noqa: B006  # KFP reads the annotation"
    value = f'"{default}"' if shown is str else repr(default)
    return f"\n    {name}: {shown.__name__} = {value},{note if shown is dict else ''}"


def _told(name: str, kind: type[RetrainingParameters]) -> str:
    text = " ".join((kind.model_fields[name].description or "").split())
    return textwrap.fill(f"{name}: {text}", 100, initial_indent=" " * 8, subsequent_indent=" " * 12)
