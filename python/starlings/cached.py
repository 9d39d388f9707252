"""Attributes that are computed when first asked for, without a lock.

`functools.cached_property` of Python 3.11 computes under a lock of the whole class. A thread that holds it while
another one forks leaves it held in the child for ever, which would then wait; and threads that read different objects
take turns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["cached_property"]

if TYPE_CHECKING:
    from functools import cached_property
else:

    class cached_property:
        """As functools has it since Python 3.12: threads that ask at once may all compute, and get the first result."""

        def __init__(self, compute: Any) -> None:
            self._compute = compute
            self.__doc__ = compute.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:
                return self
            values = instance.__dict__
            if self._name in values:
                return values[self._name]
            return values.setdefault(self._name, self._compute(instance))
