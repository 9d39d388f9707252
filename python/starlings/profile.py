"""How long work will take and how much memory it needs, before it is begun.

Estimates are sums over records, edges and thresholds with a handful of constants (`starlings.costs`), shipped or
measured on the user's machine; memory follows from what the engine allocates, on any machine the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from math import expm1
from pathlib import Path
from typing import Final, Literal, TypeAlias

from starlings.arguments import check_int
from starlings.benchmark import LARGEST, run
from starlings.costs import Constants, constants_in_use, constants_path, store
from starlings.exceptions import InvalidArgumentError

__all__ = ["PerformanceProfile", "Scale"]

#: The size of a job by its records: up to 10,000, up to 1,000,000, more.
Scale: TypeAlias = Literal["small", "medium", "large"]

_MOST_RECORDS: Final = 2**32 - 2
_MOST_EDGES: Final = 2**64 - 1
_GRID: Final = 1_000_001  # thresholds of 6 decimals

# Bytes of a record: order and join in the hierarchy, the record itself, its place in the index of integer keys.
_HELD_PER_RECORD: Final = 8 + 12 + 4
_HELD_PER_THRESHOLD: Final = 8
# While building, the result included: fitted to the peaks of `make bench` at the three sizes.
_PEAK: Final = 1 << 20
_PEAK_PER_RECORD: Final = 41
_PEAK_PER_EDGE: Final = 14


@dataclass(frozen=True, repr=False)
class PerformanceProfile:
    """Time and memory that a job is likely to take; made by `estimate`. Times are seconds, sizes bytes.

    Expect a factor of two: times depend on the machine, on how the edges lie and on what else runs. `measure` makes
    them those of this machine. None falls when there are more records or edges, but for `sweep_seconds_per_threshold`.

    Attributes
    ----------
    num_records, num_edges : int
        What was asked about.
    scale : str
        "small" up to 10,000 records, "medium" up to 1,000,000, "large" above.
    num_thresholds : int
        Distinct thresholds to expect, if scores of 6 decimals spread evenly.
    hierarchy_build_seconds : float
        The hierarchy of all thresholds, from edges with integer keys.
    string_key_build_seconds : float
        The same from edges with string keys.
    cached_query_seconds : float
        A cut that the collection still has.
    uncached_query_seconds : float
        A fresh cut, and the entity of every record.
    sweep_seconds : float
        The whole curve: every metric that compares with a reference, at every threshold.
    sweep_seconds_per_threshold : float
        The same shared out among its thresholds. One pass serves them all: the more there are, the less each takes.
    memory_usage_bytes : int
        Held by one collection with integer keys 0, 1, ... and its records. Collections of one frame share the records.
    peak_memory_bytes : int
        In use while it is built, beside the edges themselves.
    constants : str
        "shipped defaults", or "measured on this machine on" and the date.

    Examples
    --------
    >>> import starlings as sl
    >>> profile = sl.PerformanceProfile.estimate(1_000_000, 5_000_000)
    >>> profile.scale, profile.memory_usage_bytes < profile.peak_memory_bytes < 200e6
    ('medium', True)
    >>> profile.cached_query_seconds < profile.uncached_query_seconds < profile.hierarchy_build_seconds
    True
    """

    num_records: int
    num_edges: int
    scale: Scale
    num_thresholds: int
    hierarchy_build_seconds: float
    string_key_build_seconds: float
    cached_query_seconds: float
    uncached_query_seconds: float
    sweep_seconds: float
    sweep_seconds_per_threshold: float
    memory_usage_bytes: int
    peak_memory_bytes: int
    constants: str

    @classmethod
    def estimate(cls, num_records: int, num_edges: int) -> PerformanceProfile:
        """What a job of so many records and edges is likely to take on this machine.

        Uses the constants that `measure` or the benchmark stored, else the shipped ones, and warns if a file with
        constants is there but cannot be used.

        Parameters
        ----------
        num_records : int
            0 to 2**32 - 2, the most there can be.
        num_edges : int
            0 to 2**64 - 1.

        Raises
        ------
        InvalidArgumentError
            For anything else.

        Examples
        --------
        >>> import starlings as sl
        >>> sl.PerformanceProfile.estimate(5_000, 20_000).scale
        'small'
        """
        records = check_int(num_records, "num_records", 0, _MOST_RECORDS)
        edges = check_int(num_edges, "num_edges", 0, _MOST_EDGES)
        known = constants_in_use()
        thresholds = _expected_thresholds(records, edges)
        sweep = known.curve.seconds(records, thresholds)
        return cls(
            num_records=records,
            num_edges=edges,
            scale="small" if records <= 10_000 else "medium" if records <= 1_000_000 else "large",
            num_thresholds=thresholds,
            hierarchy_build_seconds=known.build.seconds(records, edges),
            string_key_build_seconds=known.build_strings.seconds(records, edges),
            cached_query_seconds=known.cached,
            uncached_query_seconds=known.cut.seconds(records, 0),
            sweep_seconds=sweep,
            sweep_seconds_per_threshold=sweep / max(1, thresholds),
            memory_usage_bytes=_HELD_PER_RECORD * records + _HELD_PER_THRESHOLD * thresholds,
            peak_memory_bytes=_PEAK + _PEAK_PER_RECORD * records + _PEAK_PER_EDGE * edges,
            constants=known.origin,
        )

    @staticmethod
    def measure(path: str | os.PathLike[str] | None = None, *, largest: int = LARGEST) -> Constants:
        """Measure this machine and keep the constants, for later estimates to use.

        Takes about ten seconds and a gigabyte, best while nothing else runs.

        Parameters
        ----------
        path : path, optional
            Where they go; by default where estimates look: the file that the environment variable
            ``STARLINGS_PROFILE`` names, else ``starlings/performance.json`` in the user's cache folder
            (``XDG_CACHE_HOME``, else ``~/.cache``).
        largest : int
            Records of the largest data set. Fewer take less time and tell less about large jobs.

        Returns
        -------
        Constants
            What was measured.

        Raises
        ------
        InvalidArgumentError
            If there is no place for the file, and if `largest` is not 100 or more.
        SystemCallError
            If the file cannot be written; one that was there stays as it was.
        """
        size = check_int(largest, "largest", 0, _MOST_RECORDS)
        if size < 100:
            raise InvalidArgumentError(f"largest must be 100 or more, not {size}")
        target = constants_path() if path is None else Path(path)
        if target is None:
            raise InvalidArgumentError("there is no home folder to keep constants in: give a path")
        constants = run(size)
        store(constants, target)
        return constants

    def _rows(self) -> list[tuple[str, str]]:
        """What is estimated, and how much, for people."""
        return [
            ("hierarchy, integer keys", _seconds_text(self.hierarchy_build_seconds)),
            ("hierarchy, string keys", _seconds_text(self.string_key_build_seconds)),
            ("cached cut", _seconds_text(self.cached_query_seconds)),
            ("fresh cut", _seconds_text(self.uncached_query_seconds)),
            (f"all metrics at {self.num_thresholds:,} thresholds", _seconds_text(self.sweep_seconds)),
            ("a threshold of them", _seconds_text(self.sweep_seconds_per_threshold)),
            ("memory held", _bytes_text(self.memory_usage_bytes)),
            ("memory while building", _bytes_text(self.peak_memory_bytes)),
        ]

    def _title(self) -> str:
        return f"{self.num_records:,} records, {self.num_edges:,} edges ({self.scale}; {self.constants})"

    def __repr__(self) -> str:
        lines = [f"  {name:<40} {value:>10}" for name, value in self._rows()]
        return "\n".join([f"PerformanceProfile of {self._title()}", *lines])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in self._rows())
        return f"<p>PerformanceProfile of {escape(self._title())}</p><table><tbody>{rows}</tbody></table>"


def _expected_thresholds(num_records: int, num_edges: int) -> int:
    """Different values among the scores at which something merges: at most one merge an edge and a record."""
    merges = min(num_edges, max(0, num_records - 1))
    return min(merges, round(-_GRID * expm1(-merges / _GRID)))


_TIMES: Final = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_SIZES: Final = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))


def _seconds_text(seconds: float) -> str:
    return _in_units(seconds, _TIMES)


def _bytes_text(size: int) -> str:
    return _in_units(float(size), _SIZES)


def _in_units(value: float, units: tuple[tuple[float, str], ...]) -> str:
    """A value in the largest unit of which it has one, with two or three digits."""
    factor, unit = next((found for found in units if value >= found[0]), units[-1])
    scaled = value / factor
    return f"{scaled:,.0f} {unit}" if scaled >= 99.5 else f"{scaled:.2g} {unit}"
