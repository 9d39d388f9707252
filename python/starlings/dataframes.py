"""Inputs that the engine cannot read by itself, made into some that it can: pandas and Splink, tables one by one.

The engine reads Arrow streams, numpy arrays and Python iterables. The columns of a pandas frame go in through Arrow
where pyarrow is installed and takes them, otherwise as numpy arrays; they are found by the same names as in other
tables. A frame of Splink is a table of its database, which hands it over as an Arrow stream. Nothing is imported to
recognise either: objects are known by the modules of their classes. Where an iterable may give tables instead of rows,
the first thing that it gives tells which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from starlings._typing import Scale
from starlings.exceptions import InvalidArgumentError
from starlings.optional import is_installed

__all__ = [
    "EdgeColumns",
    "edge_names",
    "is_lazy",
    "is_pandas",
    "is_relation",
    "is_splink",
    "project",
    "readable_edges",
    "readable_keys",
    "readable_members",
    "readable_records",
    "readable_tables",
    "splink_stream",
]

#: Names of left, right, score, left source and right source; None where they are to be recognised.
EdgeColumns = tuple[str | None, str | None, str | None, str | None, str | None]

_NAMES: EdgeColumns = ("left", "right", "score", "left_source", "right_source")
_SPLINK_NAMES: Mapping[Scale, EdgeColumns] = {
    "probability": ("unique_id_l", "unique_id_r", "match_probability", "source_dataset_l", "source_dataset_r"),
    "weight": ("unique_id_l", "unique_id_r", "match_weight", "source_dataset_l", "source_dataset_r"),
}


def readable_edges(edges: Any, columns: EdgeColumns, scale: Scale) -> tuple[Any, EdgeColumns | None]:
    """`edges`, whose scores are on that scale, and the names of their columns as the engine takes them."""
    named = None if all(name is None for name in columns) else columns
    if is_splink(edges):
        edges = splink_stream(edges)
    if is_relation(edges):
        edges = _projected(edges, columns, scale)
    if isinstance(edges, tuple) and len(edges) == 3 and any(map(is_pandas, edges)):
        return tuple(map(readable_keys, edges)), named
    if not is_pandas(edges):
        return _checked_iterable(edges, "edges"), named
    return _pandas_edges(edges, columns, scale), None


def readable_tables(edges: Any, columns: EdgeColumns, scale: Scale) -> Iterator[tuple[Any, EdgeColumns | None]]:
    """The tables that an iterable gives, or the edges as the only one, each as `readable_edges` has it."""
    if not _may_give_tables(edges):
        return iter([readable_edges(edges, columns, scale)])
    rest = iter(edges)
    begun = list(islice(rest, 1))
    if not begun:
        return iter(())
    every = chain(begun, rest)
    if _is_table(begun[0]):
        return (readable_edges(table, columns, scale) for table in every)
    return iter([readable_edges(edges if hasattr(edges, "__len__") else every, columns, scale)])


def _may_give_tables(edges: object) -> bool:
    """Whether one has to look at what iteration gives first: a table, or a row."""
    if _is_table(edges) or isinstance(edges, (str, bytes)) or not isinstance(edges, Iterable):
        return False
    return not (isinstance(edges, tuple) and len(edges) == 3) or any(map(_is_table, edges))


def _is_table(data: object) -> bool:
    """Whether this is something with several columns: a table, a record batch, a stream of them."""
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return not _is_one_column(data)
    if is_splink(data):
        return True
    return hasattr(data, "columns") and hasattr(data, "__getitem__") and hasattr(data, "to_numpy")


def _is_one_column(data: Any) -> bool:
    """Whether Arrow data that is no table by its attributes is a column of plain values."""
    if any(hasattr(data, name) for name in ("columns", "column_names", "schema")):
        return False
    return hasattr(data, "dtype") or (hasattr(data, "type") and not hasattr(data.type, "fields"))


def readable_keys(keys: Any, what: str = "keys") -> Any:
    """One column of keys or labels as the engine reads it."""
    return keys.to_numpy() if is_pandas(keys) else _checked_iterable(keys, what)


def readable_records(data: Any, key_column: str | None) -> Any:
    """Records with attributes as the engine reads them: of a pandas frame the keys only."""
    if not is_pandas(data):
        return _checked_iterable(data, "data")
    if not hasattr(data, "columns"):
        raise InvalidArgumentError(
            f"records cannot be read from a {type(data).__name__}, which is one column; give a DataFrame, a table or a "
            "list of dicts"
        )
    if key_column is None:
        return data
    _check_columns(data, [key_column], "the records; name the keys' column with key_column=")
    keys = data[[key_column]]
    table = _arrow_table(keys)
    return keys.to_dict("records") if table is None else table


def readable_members(table: Any) -> Any:
    """A table of members of entities as the engine reads it; of a pandas frame without Arrow types keys and labels."""
    if is_pandas(table) and hasattr(table, "columns"):
        _check_columns(table, ["key", "entity_id"], "the members of entities")
        names = [name for name in ("source", "key", "entity_id") if name in table.columns]
        readable = _arrow_table(table[names])
        return (_sourced(table, "key", "source"), table["entity_id"].to_numpy()) if readable is None else readable
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        return table
    raise InvalidArgumentError(
        f"labels are missing: give keys and labels, or a table with the columns source, key and entity_id, not a "
        f"{type(table).__name__}"
    )


def is_pandas(data: object) -> bool:
    """Whether this is a frame, series or index of pandas."""
    kind = type(data)
    return kind.__module__.partition(".")[0] == "pandas" and hasattr(kind, "to_numpy")


def is_lazy(data: object) -> bool:
    """Whether this is a LazyFrame of polars."""
    kind = type(data)
    return kind.__name__ == "LazyFrame" and kind.__module__.partition(".")[0] == "polars"


def is_splink(data: object) -> bool:
    """Whether this is a SplinkDataFrame, of any of its databases."""
    return any(
        kind.__name__ == "SplinkDataFrame" and kind.__module__.partition(".")[0] == "splink"
        for kind in type(data).__mro__
    )


def splink_stream(frame: Any) -> Any:
    """What a SplinkDataFrame holds as something with an Arrow stream: on DuckDB the relation, read as it is needed."""
    if type(frame).__name__ == "DuckDBDataFrame":
        return frame.as_duckdbpyrelation()
    return frame.as_pyarrow_table() if hasattr(frame, "as_pyarrow_table") else frame.as_pandas_dataframe()


def is_relation(data: object) -> bool:
    """Whether this is a relation of DuckDB: a query that has not run yet."""
    return type(data).__name__ == "DuckDBPyRelation" and hasattr(data, "project")


def project(relation: Any, names: Iterable[str]) -> Any:
    """A relation of DuckDB with these of its columns alone: the others never leave the database."""
    return relation.project(", ".join('"' + name.replace('"', '""') + '"' for name in names))


def _projected(relation: Any, columns: EdgeColumns, scale: Scale) -> Any:
    """The columns of a relation that hold edges; all, if one is missing, for the engine to say which."""
    names = [name for name in edge_names(relation.columns, columns, scale) if name is not None]
    return project(relation, names) if set(names) <= set(relation.columns) else relation


def _arrow_table(frame: Any) -> Any:
    """The frame as a table of pyarrow, or None if there is no pyarrow or a column of mixed types."""
    if not is_installed("pyarrow"):
        return None
    import pyarrow  # type: ignore[import-untyped]

    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=False)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _pandas_edges(frame: Any, columns: EdgeColumns, scale: Scale) -> Any:
    """The edges of a frame under their standard names, or as a tuple of columns of numpy arrays and lists."""
    names = edge_names(list(frame.columns), columns, scale)
    given = [name for name in names if name is not None]
    sources = [name for name in columns[3:] if name is not None]
    _check_columns(
        frame, sources, "the edges; left_source= and right_source= name columns, for one source of all rows use source="
    )
    _check_columns(frame, given, "the edges; name them with left=, right= and score=")
    _check_different(frame, names)
    standard = [standard for name, standard in zip(names, _NAMES, strict=True) if name is not None]
    wanted = frame[given].set_axis(standard, axis=1)
    table = _arrow_table(wanted)
    if table is not None:
        return table
    return _keys(wanted, "left"), _keys(wanted, "right"), wanted["score"].to_numpy()


def edge_names(present: list[Any], columns: EdgeColumns, scale: Scale) -> tuple[Any, ...]:
    """Which columns of those present are left, right, score and, where there are such, the sources."""
    named = any(name is not None for name in columns)
    known = next((names for names in (_NAMES, _SPLINK_NAMES[scale]) if set(names[:3]) <= set(present)), None)
    if known is None and not named and len(present) == 3:
        return (*present, None, None)
    keys_and_score = [
        theirs if mine is None else mine for mine, theirs in zip(columns[:3], (known or _NAMES)[:3], strict=True)
    ]
    sources = [
        (theirs if theirs in present else None) if mine is None else mine
        for mine, theirs in zip(columns[3:], (known or _NAMES)[3:], strict=True)
    ]
    return (*keys_and_score, *sources)


def _check_columns(frame: Any, names: list[str], where: str) -> None:
    """Raise an error that names the columns which the frame lacks."""
    columns = list(frame.columns)  # its own look-up takes no name that cannot be hashed
    missing = [name for name in names if name not in columns]
    if missing:
        there = ", ".join(map(repr, columns)) or "no columns at all"
        raise InvalidArgumentError(f"no column {', '.join(map(repr, missing))} in {where}. There are {there}.")


def _check_different(frame: Any, names: tuple[Any, ...]) -> None:
    """Raise an error if left, right and score are not three columns, or if the frame has one of the columns twice."""
    for first, second in ((0, 1), (0, 2), (1, 2)):
        if names[first] == names[second]:
            raise InvalidArgumentError(
                f"the column {names[first]!r} is named twice, for the {_NAMES[first]} and for the {_NAMES[second]}; "
                "name different columns"
            )
    columns = list(frame.columns)
    for name in names:
        if name is not None and columns.count(name) > 1:
            raise InvalidArgumentError(f"the frame has {columns.count(name)} columns called {name!r}; rename one")


def _keys(edges: Any, side: str) -> Any:
    """The keys of one side, paired with their sources if there are any."""
    return _sourced(edges, side, f"{side}_source")


def _sourced(frame: Any, key: str, source: str) -> Any:
    """A column of keys, paired with that of their sources if there is one."""
    if source not in frame.columns:
        return frame[key].to_numpy()
    return list(zip(frame[source].tolist(), frame[key].tolist(), strict=True))


def _checked_iterable(data: Any, what: str) -> Any:
    """`data`, if it is something with rows."""
    kind = type(data)
    if is_lazy(data):
        raise InvalidArgumentError(f"{what} are a LazyFrame, which holds no rows yet: call .collect() first")
    if isinstance(data, (str, bytes, dict)) or not (
        hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__") or isinstance(data, Iterable)
    ):
        raise InvalidArgumentError(
            f"{what} must be a table with the Arrow PyCapsule interface, arrays or an iterable, not {kind.__name__}"
        )
    return data
