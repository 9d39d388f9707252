"""A record key as a value of its own: checked once, with its kind."""

from __future__ import annotations

from operator import index
from typing import Literal

from starlings._typing import KeyValue
from starlings.exceptions import InvalidArgumentError, InvalidKeyError, shown

__all__ = ["Key", "check_name"]

_LARGEST = 2**64 - 1


class Key:
    """A checked key; equal to and hashed like the bare value.

    Wherever a key is asked for, the bare value does as well. The int 5 and the str ``"5"`` are different keys.

    Parameters
    ----------
    value : int, str or bytes
        An int in 0..2**64-1, text or bytes.

    Raises
    ------
    InvalidKeyError
        For anything else: None, bool, float, a negative or too large int.

    Examples
    --------
    >>> import starlings as sl
    >>> sl.Key(5).kind, sl.Key(2**40).kind, sl.Key("5").kind, sl.Key(b"5").kind
    ('u32', 'u64', 'string', 'bytes')
    >>> sl.Key(5) == 5, sl.Key("5") == 5, sl.Key("x") in {"x"}
    (True, False, True)
    """

    __slots__ = ("_value",)

    def __init__(self, value: KeyValue | Key) -> None:
        self._value: KeyValue = value.value if isinstance(value, Key) else _checked(value)

    @property
    def value(self) -> KeyValue:
        """The bare key."""
        return self._value

    @property
    def kind(self) -> Literal["u32", "u64", "string", "bytes"]:
        """How the key is stored."""
        if isinstance(self._value, str):
            return "string"
        if isinstance(self._value, bytes):
            return "bytes"
        return "u32" if self._value < 2**32 else "u64"

    def __eq__(self, other: object) -> bool:
        return self._value == (other._value if isinstance(other, Key) else other)

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Key({self._value!r})"

    def __reduce__(self) -> tuple[type[Key], tuple[KeyValue]]:
        return Key, (self._value,)


def check_name(name: object, what: str = "source") -> None:
    """Raise an error unless the name of a source, or of `what`, is text that UTF-8 can hold.

    Raises
    ------
    InvalidArgumentError
        If it is not, or cannot be written as UTF-8.
    """
    if not isinstance(name, str):
        raise InvalidArgumentError(f"the {what} must be a str, not {shown(name)}")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"the {what} must be valid Unicode text, but {shown(name)} has a lone surrogate"
        ) from error


def _checked(value: object) -> KeyValue:
    """The plain int, str or bytes that a value is, subclasses and numpy scalars included."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidKeyError(
                f"{shown(value)} is no key: it cannot be written as UTF-8; pass bytes instead"
            ) from error
        return str(value)
    if isinstance(value, bytes):
        return bytes(value)
    try:
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None:
        raise InvalidKeyError(f"{shown(value)} is no key: keys are int, str or bytes, not {type(value).__name__}")
    if not 0 <= number <= _LARGEST:
        raise InvalidKeyError(f"{shown(number)} is no key: an int key lies in 0..2**64-1; pass others as str")
    return number
