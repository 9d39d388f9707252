"""Cuts as they are written on the command line: ``model@0.8``, ``0.8`` of the only collection, ``model``.

A name may itself hold an ``@``: what stands behind the last one is the threshold if it is a number, unless there is a
collection of the whole name.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlings.cli.mistakes import Mistake
from starlings.exceptions import CollectionNotFoundError, nearest
from starlings.expressions import Expression, col
from starlings.frame import EntityFrame
from starlings.partition import Partition

__all__ = ["CutText", "only_collection"]


@dataclass(frozen=True)
class CutText:
    """A collection and, if one was written, a threshold."""

    name: str
    threshold: float | None

    @classmethod
    def of(cls, text: str, frame: EntityFrame) -> CutText:
        """What a text says of the collections of a frame.

        Raises
        ------
        CollectionNotFoundError
            With the nearest name.
        Mistake
            For a threshold alone where there are several collections, and for what is no threshold.
        """
        if text in frame:
            return cls(text, None)
        name, at, rest = text.rpartition("@")
        if not at:
            number = _number(text)
            if number is None:
                raise _unknown(text, frame)
            return cls(only_collection(frame, f"the cut {text!r}"), number)
        if name and name not in frame:
            raise _unknown(name, frame)
        number = _number(rest)
        if number is None:
            raise Mistake(f"{text!r} is no cut: {rest!r} is no number; write collection@threshold, as in model@0.8")
        return cls(name or only_collection(frame, f"the cut {text!r}"), number)

    def partition(self, frame: EntityFrame) -> Partition:
        """The entities there; of a name alone, an error that asks for the threshold."""
        if self.threshold is None:
            raise Mistake(f"{self.name!r} names no threshold; write collection@threshold, as in {self.name}@0.8")
        return frame[self.name].at(self.threshold)

    def expression(self) -> Expression:
        """What to analyse: the cut, or the collection at every distinct threshold."""
        column = col(self.name)
        return column.sweep() if self.threshold is None else column.at(self.threshold)

    def reference(self, frame: EntityFrame) -> Expression:
        """What to compare with: the cut; of a name alone, that at 1.0.

        Raises
        ------
        Mistake
            For a name alone of a collection of weights, which have no highest threshold.
        """
        if self.threshold is None and frame[self.name].scale == "weight":
            raise Mistake(f"the reference {self.name!r} is of weights; write its threshold, as in {self.name}@10")
        return col(self.name).at(1.0 if self.threshold is None else self.threshold)


def only_collection(frame: EntityFrame, what: str, advice: str = "write collection@threshold") -> str:
    """The name of the frame's collection, if it has but one; else an error with `advice`."""
    names = frame.collection_names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise Mistake("the file has no collections; starlings build --into adds one")
    raise Mistake(f"{what} names no collection, and there are {', '.join(map(repr, names))}; {advice}")


def _number(text: str) -> float | None:
    """The number that a text is, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def _unknown(name: str, frame: EntityFrame) -> CollectionNotFoundError:
    return CollectionNotFoundError(f"no collection {name!r}{nearest(name, frame.collection_names())}")
