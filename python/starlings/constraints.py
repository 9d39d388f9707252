"""Constraints: what no entity of a collection may be, at any threshold.

A merge that would break a constraint does not happen: the pair is left out, and weaker pairs are looked at as if it had
not been there. So the result is a hierarchy like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from starlings import _core
from starlings.arguments import check_int
from starlings.exceptions import InvalidArgumentError, shown
from starlings.key import check_name

__all__ = ["Constraints", "Limits", "check_constraints", "constrained"]

#: Constraints as the engine takes and remembers them: unique sources, largest size (0: any), whether ties are dropped.
Limits: TypeAlias = tuple[tuple[str, ...], int, bool]

_LARGEST = 2**32 - 1


@dataclass(frozen=True)
class Constraints:
    """What no entity of a collection may be, at any threshold, and how many pairs were left out for it.

    Attributes
    ----------
    unique_sources : tuple of str
        Sources of which an entity has at most one record each.
    max_entity_size : int or None
        Records in an entity at most.
    ties : {"order", "drop"}
        Which of several pairs of one score count where not all can: those that come first, or none.
    num_skipped : int
        Pairs left out because the two entities that they would join may not be one.
    num_tied : int
        Pairs that each could join, but not together with others of their score, and were refused with these.

    Examples
    --------
    >>> import starlings as sl
    >>> pairs = [(("crm", 1), ("shop", "A"), 0.9), (("crm", 2), ("shop", "A"), 0.8)]
    >>> collection = sl.Collection.from_edges(pairs, unique_sources=["crm"])
    >>> collection.constraints
    Constraints(unique_sources=('crm',), max_entity_size=None, ties='order', num_skipped=1, num_tied=0)
    """

    unique_sources: tuple[str, ...]
    max_entity_size: int | None
    ties: Literal["order", "drop"]
    num_skipped: int
    num_tied: int

    @classmethod
    def _of(cls, hierarchy: _core.Hierarchy) -> Constraints | None:
        """Those that a hierarchy was made under."""
        limits = hierarchy.constraints
        if limits is None:
            return None
        sources, size, drop_ties = limits
        return cls(sources, size or None, "drop" if drop_ties else "order", hierarchy.num_skipped, hierarchy.num_tied)


def check_constraints(unique_sources: object, max_entity_size: object, ties: object) -> Limits | None:
    """The options of a collection as the engine takes them; None where they forbid nothing.

    Parameters
    ----------
    unique_sources : iterable of str, or None
        Names of sources.
    max_entity_size : int or None
        1 or more.
    ties : {"order", "drop"}
        As in `Constraints`.

    Raises
    ------
    InvalidArgumentError
        For what is none of these.

    Examples
    --------
    >>> check_constraints(["crm"], None, "drop")
    (('crm',), 0, True)
    >>> check_constraints(None, None, "order") is None
    True
    """
    if not isinstance(ties, str) or ties not in ("order", "drop"):
        raise InvalidArgumentError(f"ties must be 'order' or 'drop', not {shown(ties)}")
    sources = _checked_sources(unique_sources)
    size = _checked_size(max_entity_size)
    return (sources, size, ties == "drop") if sources or size else None


def _checked_sources(sources: object) -> tuple[str, ...]:
    """Names of sources, each once."""
    if sources is None:
        return ()
    if isinstance(sources, (str, bytes)) or not isinstance(sources, Iterable) or getattr(sources, "ndim", 1) != 1:
        raise InvalidArgumentError(f"unique_sources must be a list of names of sources, not {shown(sources)}")
    names = tuple(sources)
    for name in names:
        check_name(name, "unique source")
    return tuple(dict.fromkeys(names))


def _checked_size(size: object) -> int:
    """A largest size; 0 for None."""
    if size is None:
        return 0
    return min(check_int(size, "max_entity_size", least=1), _LARGEST)


def constrained(
    context: _core.Context,
    hierarchy: _core.Hierarchy,
    limits: Limits | None,
    keep: str,
    progress: _core.ProgressCallback | None,
) -> _core.Hierarchy:
    """The hierarchy under these limits; itself where there are none.

    Parameters
    ----------
    context : Context
        Whose records these are.
    hierarchy : Hierarchy
        One that kept all its edges.
    limits : tuple or None
        From `check_constraints`, or those of another hierarchy.
    keep : {"nothing", "forest", "all"}
        What the result keeps of the edges, those left out included.
    progress : callable or None
        Told of the work.
    """
    if limits is None:
        return hierarchy
    sources, size, drop_ties = limits
    return _core.constrain(context, hierarchy, sources, size, drop_ties, keep, progress)
