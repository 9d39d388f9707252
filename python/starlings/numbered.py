"""Sequences whose elements are numbered and made when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, TypeVar, overload

from starlings.exceptions import InvalidArgumentError

__all__ = ["Numbered", "chosen"]

Element = TypeVar("Element", covariant=True)
Numbers = TypeVar("Numbers", bound=Sequence[int])


def chosen(numbers: Numbers, index: int | slice, what: str) -> int | Numbers:
    """The number at an index, or those of a slice; `what` names an element in errors.

    Raises
    ------
    IndexError
        For an index beyond the last.
    InvalidArgumentError
        For what is no index.
    """
    try:
        return numbers[index]  # type: ignore[return-value]
    except IndexError:
        raise IndexError(f"{what} {index} of {len(numbers)}") from None
    except TypeError:
        raise InvalidArgumentError(f"each {what} is numbered: give an int or a slice, not {index!r}") from None


class Numbered(Sequence[Element]):
    """A sequence that makes each element when it is asked for; a slice is a list."""

    _what: ClassVar[str]

    @abstractmethod
    def _element(self, number: int) -> Element:
        """One element, by number."""

    @overload
    def __getitem__(self, index: int) -> Element: ...
    @overload
    def __getitem__(self, index: slice) -> list[Element]: ...
    def __getitem__(self, index: int | slice) -> Element | list[Element]:
        found = chosen(range(len(self)), index, self._what)
        return self._element(found) if isinstance(found, int) else list(map(self._element, found))

    def __iter__(self) -> Iterator[Element]:
        return map(self._element, range(len(self)))
