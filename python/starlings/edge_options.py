"""How scored pairs are read and what is kept of them: one set of options for everything that takes edges.

`EdgeOptions` is what users may pass, `CheckedOptions` what became of it: checked once, before any work is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np

from starlings._typing import Scale
from starlings.constraints import Limits, check_constraints
from starlings.dataframes import EdgeColumns
from starlings.exceptions import InvalidArgumentError, nearest, shown
from starlings.key import check_name

__all__ = ["CheckedOptions", "EdgeOptions", "Keep", "check_no_options", "check_options"]

#: What a hierarchy keeps of its edges.
Keep: TypeAlias = Literal["nothing", "forest", "all"]


class EdgeOptions(TypedDict, total=False):
    """The options of `Collection.from_edges`, wherever else a collection is made of edges: all may be left out.

    Attributes
    ----------
    quantise, quantize : int or None
        Decimals to which scores are rounded, half to even: 1 to 6, by default 6. None compares them as they are.
    source : str
        The source of bare keys.
    left, right, score, left_source, right_source : str
        Names of the columns of a table.
    keep_edges : bool or "forest"
        True keeps the pairs, for `Collection.edges`, `Collection.explain` and densities; "forest" keeps only those that
        joined something, for `Collection.explain`.
    scale : {"probability", "weight"}
        What scores are: numbers in [0, 1], or any finite ones, such as match weights.
    unique_sources : iterable of str
        Sources of which an entity has at most one record each.
    max_entity_size : int or None
        Records in an entity at most.
    ties : {"order", "drop"}
        Which of several pairs of one score count where not all can: those that come first, or none.

    Examples
    --------
    >>> import starlings as sl
    >>> options: sl.EdgeOptions = {"quantise": 2, "keep_edges": True}
    >>> frame = sl.EntityFrame()
    >>> frame.add_collection_from_edges("model", [("a", "b", 0.875)], **options)
    >>> frame["model"].edges.scores.tolist()
    [0.88]
    """

    quantise: int | None | EllipsisType
    quantize: int | None | EllipsisType
    source: str
    left: str | None
    right: str | None
    score: str | None
    left_source: str | None
    right_source: str | None
    keep_edges: bool | Literal["forest"]
    scale: Scale
    unique_sources: Iterable[str]
    max_entity_size: int | None
    ties: Literal["order", "drop"]


@dataclass(frozen=True)
class CheckedOptions:
    """Options as the engine takes them.

    Attributes
    ----------
    columns : tuple
        Names of left, right, score, left source and right source; None where they are to be recognised.
    source : str
        The source of bare keys.
    decimals : int
        To which scores are rounded; 0: they are not.
    keep : {"nothing", "forest", "all"}
        What to keep of the edges in the end.
    scale : {"probability", "weight"}
        What scores are.
    limits : tuple or None
        What no entity may be.
    """

    columns: EdgeColumns = (None, None, None, None, None)
    source: str = "default"
    decimals: int = 6
    keep: Keep = "nothing"
    scale: Scale = "probability"
    limits: Limits | None = None

    @property
    def keep_until_constrained(self) -> Keep:
        """What to keep while the hierarchy is made: constraints are applied to all edges."""
        return "all" if self.limits else self.keep


#: What each option is where it is left out.
_DEFAULTS: EdgeOptions = {
    "quantise": ...,
    "quantize": ...,
    "source": "default",
    "left": None,
    "right": None,
    "score": None,
    "left_source": None,
    "right_source": None,
    "keep_edges": False,
    "scale": "probability",
    "unique_sources": (),
    "max_entity_size": None,
    "ties": "order",
}


def check_options(options: Mapping[str, Any]) -> CheckedOptions:
    """Options, checked; those left out as they are by default.

    Raises
    ------
    TypeError
        For an option that there is not, with the nearest name.
    InvalidArgumentError
        For an unusable one.

    Examples
    --------
    >>> check_options({"quantise": 3, "keep_edges": True}).decimals
    3
    """
    _check_known(options)
    given = {**_DEFAULTS, **options}
    check_name(given["source"])
    return CheckedOptions(
        columns=(given["left"], given["right"], given["score"], given["left_source"], given["right_source"]),
        source=given["source"],
        decimals=_decimals_of(given["quantise"], given["quantize"]),
        keep=_kept(given["keep_edges"]),
        scale=_checked_scale(given["scale"]),
        limits=check_constraints(given["unique_sources"], given["max_entity_size"], given["ties"]),
    )


def check_no_options(options: Mapping[str, Any]) -> None:
    """Raise an error if options of edges were given where there are no edges.

    Raises
    ------
    TypeError
        For an option that there is not, with the nearest name.
    InvalidArgumentError
        For one that is not as it is by default.
    """
    _check_known(options)
    defaults: Mapping[str, Any] = _DEFAULTS
    given = [f"{name}=" for name, value in options.items() if not _is_same(value, defaults[name])]
    if given:
        raise InvalidArgumentError(
            f"{', '.join(given)} can only be given with edges=; a collection has its scores, sources and edges"
        )


def _is_same(value: object, default: object) -> bool:
    """Whether a value is the default; anything may be compared with it, arrays too."""
    return value is default or (isinstance(value, type(default)) and value == default)


def _check_known(options: Mapping[str, Any]) -> None:
    """Raise an error for the first option that there is not."""
    for name in options:
        if name not in _DEFAULTS:
            raise TypeError(f"there is no option {name!r}{nearest(name, _DEFAULTS)}")


def _decimals_of(quantise: int | None | EllipsisType, quantize: int | None | EllipsisType) -> int:
    """Decimals that the two spellings ask for; 0 for exact scores."""
    asked = {_checked_decimals(chosen) for chosen in (quantise, quantize) if chosen is not ...}
    if len(asked) > 1:
        raise InvalidArgumentError(f"quantise={quantise!r} and quantize={quantize!r} are one option; give one of them")
    return asked.pop() if asked else 6


def _checked_decimals(chosen: object) -> int:
    """Decimals that there are; 0 for None."""
    if chosen is None:
        return 0
    if isinstance(chosen, bool) or not isinstance(chosen, (int, np.integer)) or not 1 <= chosen <= 6:
        raise InvalidArgumentError(f"quantise must be 1 to 6 decimals, or None for exact scores, not {chosen!r}")
    return int(chosen)


def _kept(keep_edges: object) -> Keep:
    """What to keep, as the engine names it."""
    if isinstance(keep_edges, (bool, np.bool_)):
        return "all" if keep_edges else "nothing"
    if isinstance(keep_edges, str) and keep_edges == "forest":
        return "forest"
    raise InvalidArgumentError(f"keep_edges must be True, False or 'forest', not {shown(keep_edges)}")


def _checked_scale(scale: object) -> Scale:
    """A scale that there is."""
    if isinstance(scale, str) and scale == "probability":
        return "probability"
    if isinstance(scale, str) and scale == "weight":
        return "weight"
    raise InvalidArgumentError(f"scale must be 'probability' or 'weight', not {shown(scale)}")
