"""What a collection is at one moment, and how it changes: all at once, or not at all.

Contexts are shared between collections, views and frames. Every user looks only at the records that were there when its
state was made, and only the one owner of a context appends to it; others copy it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import getpid, register_at_fork
from threading import Lock, RLock

from starlings import _core
from starlings.cached import cached_property
from starlings.exceptions import InvalidArgumentError

__all__ = ["Exclusive", "State", "appending"]


@dataclass(frozen=True)
class State:
    """What a collection is at one moment.

    Attributes
    ----------
    core : Collection
        A hierarchy over the first records of a context, the others up to `num_records` being singletons.
    owns_context : bool
        Whether nobody else appends to the context.
    is_view : bool
        Whether the collection is one of a frame's.
    is_closed : bool
        Whether the records were given as all there are, so that more edges cannot bring new ones.
    """

    core: _core.Collection
    owns_context: bool
    is_view: bool
    is_closed: bool = False

    @classmethod
    def standalone(
        cls,
        context: _core.Context,
        hierarchy: _core.Hierarchy,
        decimals: int,
        *,
        is_closed: bool = False,
        earlier: _core.Collection | None = None,
    ) -> State:
        """That of a collection with a context of its own; `earlier` is what it was before it changed."""
        core = _core.Collection(context, hierarchy, context.num_records, decimals, earlier)
        return cls(core, True, False, is_closed)

    @cached_property
    def context(self) -> _core.Context:
        """The records, possibly shared."""
        return self.core.context

    @cached_property
    def hierarchy(self) -> _core.Hierarchy:
        """The hierarchy, over the first records."""
        return self.core.hierarchy

    @property
    def num_records(self) -> int:
        """Records of the context that are part of the collection."""
        return self.core.num_records

    @property
    def decimals(self) -> int:
        """To which scores are rounded; 0 where they are exact."""
        return self.core.decimals


class Exclusive:
    """A lock for changes of `what`.

    Entering it again from inside, as an iterator of edges could that changes what it is read for, is an error. In a
    forked child nobody holds it.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._renew()

    def _renew(self) -> None:
        self._lock = RLock()
        self._busy = False
        self._process = getpid()

    def __enter__(self) -> None:
        if self._process != getpid():
            with _renewing:
                if self._process != getpid():
                    self._renew()
        lock = self._lock
        lock.acquire()
        if self._busy:
            lock.release()
            raise InvalidArgumentError(f"the {self._what} is being changed; its own input cannot change it too")
        self._busy = True
        self._held = lock

    def __exit__(self, *_: object) -> None:
        self._busy = False
        self._held.release()


def _begin_child() -> None:
    """In a forked child no thread is left that could hold a lock."""
    global _renewing
    _renewing = Lock()


_renewing = Lock()
register_at_fork(after_in_child=_begin_child)


@contextmanager
def appending(context: _core.Context, num_records: int) -> Iterator[None]:
    """A block that may append to a context; if it fails the context has `num_records` records again."""
    try:
        yield
    except BaseException:
        if context.num_records > num_records:
            context.truncate(num_records)
        raise
