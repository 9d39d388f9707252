"""How many threads long calls use. Results never depend on it."""

from __future__ import annotations

from starlings import _core
from starlings.exceptions import InvalidArgumentError

__all__ = ["num_threads", "set_num_threads"]

_MOST = 2**32 - 1


def set_num_threads(n: int) -> None:
    """Let long calls use so many threads; 0 asks for the default again.

    The default is ``STARLINGS_NUM_THREADS`` from the environment, else the processors this process may run on.

    Raises
    ------
    InvalidArgumentError
        If `n` is no int from 0 on.

    Examples
    --------
    >>> import starlings as sl
    >>> sl.set_num_threads(2)
    >>> sl.num_threads()
    2
    >>> sl.set_num_threads(0)
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 0 <= n <= _MOST:
        raise InvalidArgumentError(f"the number of threads is an int from 0 on, not {n!r}")
    _core.set_num_threads(n)


def num_threads() -> int:
    """The number of threads that long calls use."""
    return _core.num_threads()
