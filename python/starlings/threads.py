"""How many threads long calls use. Results never depend on it."""

from __future__ import annotations

from starlings import _core
from starlings.arguments import check_int

__all__ = ["num_threads", "set_num_threads"]

_MOST = 2**32 - 1


def set_num_threads(n: int) -> None:
    """Let long calls use so many threads; 0 asks for the default again.

    The default is ``STARLINGS_NUM_THREADS`` from the environment, else the processors this process may run on.

    Raises
    ------
    InvalidArgumentError
        If `n` is no int of 0 or more.

    Examples
    --------
    >>> import starlings as sl
    >>> sl.set_num_threads(2)
    >>> sl.num_threads()
    2
    >>> sl.set_num_threads(0)
    """
    _core.set_num_threads(check_int(n, "the number of threads", 0, _MOST))


def num_threads() -> int:
    """The number of threads that long calls use."""
    return _core.num_threads()
