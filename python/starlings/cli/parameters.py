"""Options that several commands have in common, written once.

A group of options is a frozen dataclass whose fields are annotated as typer wants parameters annotated. A command takes
the group as one parameter; `spread` shows typer each field as a parameter of its own, and hands the command the group.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache, wraps
from typing import Any, get_type_hints

import typer

__all__ = ["argument", "option", "spread"]


def argument(metavar: str, help: str, **more: Any) -> Any:
    """How typer is told of an argument; its help says what it is where it is left out."""
    return typer.Argument(metavar=metavar, help=help, show_default=False, **more)


def option(*names: str, help: str, **more: Any) -> Any:
    """How typer is told of an option; its help says what it is by default."""
    return typer.Option(*names, help=help, show_default=False, **more)


def spread(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The command, with each group of options in place of the parameter that takes it."""
    hints = get_type_hints(command, include_extras=True)
    plain: list[inspect.Parameter] = []
    grouped: list[inspect.Parameter] = []
    groups: dict[str, type[Any]] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if isinstance(kind, type) and is_dataclass(kind):
            groups[name] = kind
            grouped += _parameters_of(kind)
        else:
            plain.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def gathered(**values: Any) -> int | None:
        made = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        return command(**values, **made)

    every = [*plain, *grouped]
    gathered.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    gathered.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
    return gathered


@cache
def _parameters_of(group: type[Any]) -> list[inspect.Parameter]:
    """The fields of a group, as parameters."""
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=_default_of(field), annotation=hints[field.name]
        )
        for field in fields(group)
    ]


def _default_of(field: Field[Any]) -> Any:
    """What a field is where it is not given."""
    return inspect.Parameter.empty if field.default is MISSING else field.default
