"""The arguments of `shieldctl` that are ids, as the commands themselves declare them."""

from collections.abc import Callable, Iterator
from inspect import signature
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.models import OptionInfo, ParameterInfo

from cli.app import build
from shield.wire import LineageKind, NamedKind


def id_arguments() -> dict[str, NamedKind | type[LineageKind]]:
    """Return e.g. `review scam feedback_id` -> its kind; `LineageKind`: told by another."""
    return {
        f"{command} {name}": kind
        for command, name, hint in _hints()
        for kind in _metadata(hint)
        if isinstance(kind, NamedKind) or kind is LineageKind
    }


def text_arguments() -> set[str]:
    """Return all arguments and options that take text, whatever it means."""
    return {f"{command} {name}" for command, name, hint in _hints() if _is_text(hint)}


def _metadata(hint: Any) -> tuple[Any, ...]:
    return tuple(hint.__metadata__) if get_origin(hint) is Annotated else ()


def _is_text(hint: Any) -> bool:
    return hint is str or any(map(_is_text, get_args(hint)))


def _hints() -> Iterator[tuple[str, str, Any]]:
    for command, callback in _commands(build(), ""):
        hints = get_type_hints(callback, include_extras=True)
        for name in signature(callback).parameters:
            hint = hints[name]
            if hint is typer.Context:
                continue
            said = next((one for one in _metadata(hint) if isinstance(one, ParameterInfo)), None)
            yield command, _shown(name, said), hint


def _shown(name: str, said: ParameterInfo | None) -> str:
    if not isinstance(said, OptionInfo):
        return name
    # Beside an annotation the first of an option's names stands where its default would.
    names = [str(word) for word in (said.default, *(said.param_decls or ()))]
    return next((each for each in names if each[:2] == "--"), f"--{name.replace('_', '-')}")


def _commands(app: typer.Typer, before: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for one in app.registered_commands:
        assert one.callback is not None
        yield f"{before} {one.name or one.callback.__name__}".strip(), one.callback
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from _commands(group.typer_instance, f"{before} {group.name}".strip())
