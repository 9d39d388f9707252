"""What work costs on a machine: the constants behind `PerformanceProfile`, and the file they are kept in.

Shipped constants are fitted to `make bench` on 2 cores. Those of the user's machine lie in one small JSON file, which
is replaced whole or not at all and never trusted: whatever is wrong with it, the shipped ones serve, with a warning.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any, Final

from starlings.exceptions import InvalidArgumentError, SystemCallError, shown
from starlings.whole_files import replacing

__all__ = ["FAR", "SHIPPED", "Constants", "Cost", "constants_in_use", "constants_path", "load", "store"]

#: Records from here on lie beyond the caches of usual processors.
FAR: Final = 2_000_000

_FORMAT: Final = 1
_LARGEST_FILE: Final = 1 << 16  # bytes; a whole one has about a thousand


@dataclass(frozen=True)
class Cost:
    """Seconds of one kind of work, as a sum of what never shrinks when there is more of it.

    Attributes
    ----------
    fixed : float
        Of every call.
    per_item : float
        Of each edge, or of each threshold of a curve.
    per_record : float
        Of each record.
    per_far_record : float
        More, of each record beyond `FAR`, where memory is slow.
    """

    fixed: float
    per_item: float
    per_record: float
    per_far_record: float

    def seconds(self, num_records: int, num_items: float) -> float:
        """The whole of it."""
        far = max(0, num_records - FAR)
        return self.fixed + self.per_item * num_items + self.per_record * num_records + self.per_far_record * float(far)


@dataclass(frozen=True)
class Constants:
    """What each kind of work costs.

    Attributes
    ----------
    build : Cost
        The whole hierarchy of edges with integer keys.
    build_strings : Cost
        The same with string keys.
    cut : Cost
        A fresh cut and its labels.
    curve : Cost
        Every metric that compares, at every threshold.
    cached : float
        Seconds of a cut that is kept.
    measured_on : date or None
        When they were measured on this machine; None if they are the shipped ones.
    """

    build: Cost
    build_strings: Cost
    cut: Cost
    curve: Cost
    cached: float
    measured_on: date | None = None

    @property
    def origin(self) -> str:
        """Where they come from, in words."""
        return "shipped defaults" if self.measured_on is None else f"measured on this machine on {self.measured_on}"


#: Fitted to the medians of `make bench` at 1M/1M, 1M/5M and 10M/50M records/edges on 2 cores.
SHIPPED: Final = Constants(
    build=Cost(fixed=1.5e-4, per_item=20.5e-9, per_record=41.3e-9, per_far_record=81.5e-9),
    build_strings=Cost(fixed=1.5e-4, per_item=88.5e-9, per_record=41.3e-9, per_far_record=283e-9),
    cut=Cost(fixed=5e-6, per_item=0.0, per_record=1.49e-9, per_far_record=4.76e-9),
    curve=Cost(fixed=2e-4, per_item=80e-9, per_record=158e-9, per_far_record=0.0),
    cached=1.5e-6,
)

# ------------------------------------------------------------------------------------------------------- their file


def constants_path() -> Path | None:
    """The file of this machine's constants: ``STARLINGS_PROFILE``, else one in the user's cache folder."""
    chosen = os.environ.get("STARLINGS_PROFILE")
    if chosen:
        return Path(chosen)
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():
        try:
            cache = Path.home() / ".cache"
        except RuntimeError:
            return None
    return cache / "starlings" / "performance.json"


def constants_in_use() -> Constants:
    """Those measured on this machine, else the shipped ones, with a warning if the file is there but cannot be used."""
    path = constants_path()
    if path is None:
        return SHIPPED
    try:
        return load(path)
    except FileNotFoundError:
        return SHIPPED
    except (OSError, ValueError, RecursionError) as error:
        warnings.warn(
            f"{path} holds no usable performance constants ({error}): estimates use the shipped ones; measure again "
            "with PerformanceProfile.measure(), or delete the file",
            UserWarning,
            stacklevel=3,
        )
        return SHIPPED


def load(path: Path) -> Constants:
    """The constants in a file.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError, RecursionError
        If it holds anything but constants in this version's format.
    """
    with path.open("rb") as file:
        text = file.read(_LARGEST_FILE + 1)
    if len(text) > _LARGEST_FILE:
        raise ValueError(f"it is longer than {_LARGEST_FILE} bytes")
    told = json.loads(text)
    if isinstance(told, dict) and told.get("format") != _FORMAT:
        raise ValueError(f"its format is not {_FORMAT} but {shown(told.get('format'))}")
    found = _checked(told, {"format", "measured_on", "constants"}, "the file")
    measured_on, values = found["measured_on"], found["constants"]
    if not isinstance(measured_on, str):
        raise ValueError(f"measured_on is no date but {type(measured_on).__name__}")
    return _constants_of(values, date.fromisoformat(measured_on))


def _checked(value: Any, names: set[str], what: str) -> dict[str, Any]:
    """A JSON object with exactly these members."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    if value.keys() != names:
        raise ValueError(f"{what} has not exactly the members {', '.join(sorted(names))}")
    return value


def _seconds_of(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e300 or not isfinite(value):
        raise ValueError(f"{what} is no number of seconds")
    return float(value)


def _constants_of(values: Any, measured_on: date) -> Constants:
    """The constants in a JSON object."""
    costs = [field.name for field in fields(Constants) if field.name not in ("cached", "measured_on")]
    parts = [field.name for field in fields(Cost)]
    found = _checked(values, {*costs, "cached"}, "constants")
    made: dict[str, Any] = {}
    for name in costs:
        cost = _checked(found[name], set(parts), name)
        made[name] = Cost(**{part: _seconds_of(cost[part], f"{part} of {name}") for part in parts})
    return Constants(**made, cached=_seconds_of(found["cached"], "cached"), measured_on=measured_on)


def store(constants: Constants, path: Path) -> None:
    """Write measured constants to a file, whole or not at all; folders are made as needed.

    Raises
    ------
    SystemCallError
        If the file cannot be written; what was there stays.
    """
    if constants.measured_on is None:
        raise InvalidArgumentError("shipped constants need no file; store those that were measured")
    values = asdict(constants)
    del values["measured_on"]
    told = {"format": _FORMAT, "measured_on": constants.measured_on.isoformat(), "constants": values}
    with _refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(str(path)) as file:
            file.write(f"{json.dumps(told, indent=1)}\n".encode())


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """A block whose system errors are about this file."""
    try:
        yield
    except OSError as error:
        raise SystemCallError(f"the performance constants cannot be written to {path}: {error}") from error
