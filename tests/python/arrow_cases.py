"""What tests of Arrow tables share: types spelt out, frames of every kind, a reader of the C interface alone."""

from __future__ import annotations

import ctypes
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

import starlings as sl

# ------------------------------------------------------------------------------------------------------------ schemas


def spelt(field: pa.Field) -> tuple[Any, ...]:
    """A field as its name, type, whether it may be null, and its parts; nothing is left to how types compare."""
    return field.name, *_spelt_type(field.type), field.nullable


def _spelt_type(kind: pa.DataType) -> tuple[Any, ...]:
    if pa.types.is_dictionary(kind):
        return "dictionary", str(kind.index_type), _spelt_type(kind.value_type)
    if pa.types.is_list(kind):
        return "list", spelt(kind.value_field)
    if pa.types.is_struct(kind):
        return "struct", [spelt(kind.field(i)) for i in range(kind.num_fields)]
    if pa.types.is_union(kind):
        return "union", kind.mode, list(kind.type_codes), [spelt(kind.field(i)) for i in range(kind.num_fields)]
    return (str(kind),)


# ------------------------------------------------------------------------------------------------------------- frames

KEYS = st.one_of(
    st.integers(0, 2**32 - 1),
    st.integers(2**32, 2**64 - 1),
    st.text(max_size=8),
    st.binary(max_size=8),
)
NAMES = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)


@st.composite
def frames(draw: st.DrawFn) -> sl.EntityFrame:
    """Frames of records of all kinds and collections of all kinds."""
    frame = sl.EntityFrame()
    for source in draw(st.lists(NAMES, max_size=3, unique=True)):
        keys = draw(st.lists(KEYS, max_size=8, unique_by=lambda key: (type(key), key)))
        if keys:
            frame.add_records(source, [{"id": key} for key in keys], key_column="id")
    known = [(source, row["id"]) for source in frame.sources for row in frame.records(source).to_dicts()]
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        records = st.sampled_from(known) if known and draw(st.booleans()) else KEYS
        weight = draw(st.booleans())
        score = st.floats(-30, 30) if weight else st.floats(0, 1)
        edges = draw(st.lists(st.tuples(records, records, score), max_size=12))
        quantise = draw(st.sampled_from([None, 1, 2, 6]))
        frame.add_collection_from_edges(
            name, edges, quantise=quantise, scale="weight" if weight else "probability", source="crm"
        )
    return frame


def records_of(frame: sl.EntityFrame) -> list[tuple[str, Any]]:
    """All records as (source, key), in order."""
    state = frame._core.now()
    return [state.context.record(i) for i in range(state.num_records)]


def same_collections(a: sl.Collection, b: sl.Collection) -> bool:
    """Whether two collections have the same merges at the same thresholds, scores held alike, and decimals."""
    one, other = a._state, b._state
    return (
        one.hierarchy == other.hierarchy
        and (one.decimals, one.num_records) == (other.decimals, other.num_records)
        and a.scale == b.scale
    )


def same_frames(a: sl.EntityFrame, b: sl.EntityFrame) -> bool:
    """Whether two frames have the same records and collections, all in the same order."""
    return (
        records_of(a) == records_of(b)
        and a.sources == b.sources
        and a.collection_names() == b.collection_names()
        and all(same_collections(a[name], b[name]) for name in a.collection_names())
    )


# ------------------------------------------------------------------------------------------------- a reader in ctypes


class CSchema(ctypes.Structure):
    """struct ArrowSchema."""


CSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(CSchema))),
    ("dictionary", ctypes.POINTER(CSchema)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    ("private_data", ctypes.c_void_p),
]


class CArray(ctypes.Structure):
    """struct ArrowArray."""


CArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(CArray))),
    ("dictionary", ctypes.POINTER(CArray)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    ("private_data", ctypes.c_void_p),
]


class CStream(ctypes.Structure):
    """struct ArrowArrayStream."""

    _fields_ = [
        ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(CSchema))),
        ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(CArray))),
        ("get_last_error", ctypes.c_void_p),
        ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("private_data", ctypes.c_void_p),
    ]


def stream_of(capsule: object) -> CStream:
    """The stream that a capsule holds."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return CStream.from_address(pointer(capsule, b"arrow_array_stream"))
