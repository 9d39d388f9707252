"""Results that never change and hold memory of the engine: their copies are themselves, and they cannot be pickled."""

from __future__ import annotations

from typing import ClassVar, NoReturn, Self

from starlings.exceptions import unpicklable

__all__ = ["Immutable"]


class Immutable:
    """What can be shared instead of copied; `_instead` says what to hand over instead of pickling it."""

    __slots__ = ()

    _instead: ClassVar[str] = "hand over its to_arrow()"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise unpicklable(self, self._instead)
