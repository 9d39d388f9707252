"""How frames come in and go out: Arrow, files, tables of databases, the explorer's page.

The work is done elsewhere, a module for each way; these are the methods that frames have of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from starlings import _core
from starlings._typing import ArrowArray, ArrowStream, PathLike, Progress
from starlings.arrow_exchange import arrow_data, expanded_limit, milliseconds, pyarrow_table
from starlings.databases import read_tables, write_tables
from starlings.explorer import explore, yardstick_of
from starlings.explorer.subject import Subject
from starlings.native_file import save_state
from starlings.parquet import IfExists, read_folder, write_folder
from starlings.progress import reporting
from starlings.relations import Relation, frame_of_tables, tables_of_state

if TYPE_CHECKING:
    from datetime import datetime

    from starlings._core import Frame as CoreFrame
    from starlings.estimation import SampleLike, Weights
    from starlings.expressions import Expression
    from starlings.metrics import Defaults, MetricLike

__all__ = ["FrameInterchange"]


class FrameInterchange:
    """The part of `EntityFrame` that hands frames over."""

    _core: CoreFrame

    @classmethod
    def _with_core(cls, core: CoreFrame) -> Self:
        """The frame around a frame of the engine that nobody else changes."""
        raise NotImplementedError

    # --------------------------------------------------------------------------------------------------------- files

    def save(self, path: PathLike, *, progress: Progress = None) -> None:
        """Write the frame to a file, which `starlings.load` gives back.

        The frame as it is when the call begins, whatever other threads do. At every moment `path` holds the old file or
        the new one, whole: the new one is written beside it, synced, and takes its place at the end. Equal frames give
        equal bytes.

        Parameters
        ----------
        path : str or os.PathLike
            The file, by convention ``*.starlings``. One that is there is replaced and its mode kept; a symbolic link is
            followed.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Raises
        ------
        PathNotFoundError, PathIsFolderError, PathPermissionError, SystemCallError
            If the file cannot be written; what was there still is.
        InvalidArgumentError
            For attributes of an Arrow type that is not stored (list views, run-end encoding), or malformed, with the
            column.

        Examples
        --------
        >>> import os, tempfile
        >>> import starlings as sl
        >>> frame = sl.EntityFrame.from_records("crm", [{"id": 7, "name": "Ann"}], key_column="id")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "people.starlings")
        ...     frame.save(path)
        ...     sl.load(path).records("crm").to_dicts()
        [{'id': 7, 'name': 'Ann'}]
        """
        save_state(self._core.now(), path, progress)

    # --------------------------------------------------------------------------------------------------------- Arrow

    def to_arrow(
        self, *, max_expanded: int | None = None, created_at: datetime | None = None, progress: Progress = None
    ) -> Any:
        """The frame as a pyarrow Table: one row a record, the collections in the first.

        Merge events name every record of everything that merges, which grows with the square of the records where they
        merge one after the other: what there would be is counted first. Attributes of records and kept edges are not
        part of the table. docs/arrow.md lists the columns.

        Parameters
        ----------
        max_expanded : int, optional
            At most so many record indices in merge events; by default 2^27, which take half a gigabyte.
        created_at : datetime, optional
            What the column of that name says, in UTC (a datetime without a zone is taken as it is); by default now.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Raises
        ------
        CapacityError
            For more merge events than `max_expanded` allows; `save` and ``write_parquet(expand=False)`` do not expand.
        MissingDependencyError
            Without pyarrow. Any other reader of the Arrow PyCapsule interface takes the frame as it is.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6)])
        >>> table = frame.to_arrow()
        >>> table.num_rows, table["collections"][0].as_py()[0]["merge_events"][1]
        (3, {'threshold': 0.6, 'merging_groups': [[0, 1], [2]]})
        """
        return pyarrow_table(self._exported(expanded_limit(max_expanded), milliseconds(created_at), progress))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` with its defaults, as an Arrow stream."""
        return self._exported(0, 0, False)

    def _exported(self, max_expanded: int, created_at_ms: int, progress: Progress) -> object:
        """A capsule with the stream of the frame as it is now."""
        with reporting(progress) as callback:
            return self._core.now().export(max_expanded, created_at_ms, callback)

    @classmethod
    def from_arrow(cls, data: ArrowStream | ArrowArray, *, progress: Progress = None) -> Self:
        """The frame that `to_arrow` made a table of.

        Records come back in their order with their sources and keys, collections in theirs, equal to the last bit.
        Columns and rows may have changed places, text and lists may have other widths, dictionaries may be gone: what
        libraries make of a table on its way. Whatever is not a frame is refused. All records count as given.

        Parameters
        ----------
        data : table
            Anything with the Arrow PyCapsule interface.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Raises
        ------
        InvalidArgumentError
            Where the table is no frame, with the place and the reason.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame.from_records("crm", [{"id": 7}, {"id": 8}], key_column="id")
        >>> frame.add_collection_from_edges("model", [(7, 8, 0.9)], source="crm")
        >>> again = sl.EntityFrame.from_arrow(frame.to_arrow())
        >>> again, again["model"].at(0.9) == frame["model"].at(0.9)
        (EntityFrame(num_records=2, collections=['model']), True)
        """
        with reporting(progress) as callback:
            return cls._with_core(_core.import_frame(arrow_data(data, "a frame"), callback))

    # ------------------------------------------------------------------------------------------------------ relations

    def to_tables(
        self, *, expand: bool = True, max_expanded: int | None = None, progress: Progress = None
    ) -> dict[str, Relation]:
        """The frame as tables: its records, its collections, and of each collection the merge events and what merges.

        What the columns are says docs/databases.md. The tables hold the frame as it is now, whatever becomes of it.

        Parameters
        ----------
        expand : bool
            Whether ``merge_group_records`` is among them, which names every record of everything that merges: for
            queries, not to be read back. On a chain of merges it grows with the square of the records.
        max_expanded : int, optional
            At most so many rows in it; by default 2**27.
        progress : bool, callable or None
            As in `Collection.from_edges`, of counting these rows; the tables are made as they are read.

        Returns
        -------
        dict of str to table
            Each with the Arrow PyCapsule stream, `to_arrow`, `to_pandas` and `to_polars`.

        Raises
        ------
        CapacityError
            If the expanded table would have more rows, with how many.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection("model", edges=[("a", "b", 0.9), ("b", 7, 0.6)])
        >>> tables = frame.to_tables()
        >>> list(tables)
        ['records', 'collections', 'merge_events', 'merge_groups', 'merge_group_records']
        >>> tables["records"].to_arrow()["key_kind"].to_pylist()
        ['string', 'string', 'u32']
        """
        return tables_of_state(self._core.now(), expand, max_expanded, progress)

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any], *, progress: Progress = None) -> Self:
        """The frame of the tables ``records``, ``collections``, ``merge_events`` and ``merge_groups``.

        Rows may come in any order, integers in any type, text in any layout; other columns and tables are ignored. Keys
        come back as what they were, and every collection cuts as it did. All records count as given ones. Attributes,
        kept edges and constraints are not in the tables.

        Parameters
        ----------
        tables : mapping of str to table
            Anything with the Arrow PyCapsule stream, and pandas DataFrames.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Raises
        ------
        InvalidArgumentError
            If a table is missing, or with table, row and reason where the tables do not tell a frame.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection("model", edges=[("a", "b", 0.9), ("b", 7, 0.6)])
        >>> sl.EntityFrame.from_tables(frame.to_tables(expand=False))["model"].at(0.9).num_entities
        2
        """
        return cls._with_core(frame_of_tables(tables, progress))

    def write_parquet(
        self,
        folder: PathLike,
        *,
        if_exists: IfExists = "fail",
        expand: bool = True,
        max_expanded: int | None = None,
        progress: Progress = None,
    ) -> None:
        """Write the tables of `to_tables` as Parquet, ``records.parquet`` and so on in one folder.

        The folder appears as a whole or not at all, also where the system stops half-way. It is put in place of another
        one by two renames; should the machine stop between the two, the old folder is beside, under a name that begins
        with a dot. Needs pyarrow.

        Parameters
        ----------
        folder : path
            Where. An empty folder may be there.
        if_exists : {"fail", "replace"}
            Whether a folder that is there is replaced as a whole. One in which anything else is never is.
        expand, max_expanded
            As in `to_tables`.
        progress : bool, callable or None
            As in `Collection.from_edges`; of each table it tells the rows that are written.

        Raises
        ------
        InvalidArgumentError
            If something is there that is not to be replaced.
        PathNotFoundError, PathPermissionError, SystemCallError
            If the system refuses; what was there still is.
        """
        tables = self.to_tables(expand=expand, max_expanded=max_expanded, progress=progress)
        write_folder(folder, tables, if_exists, progress)

    @classmethod
    def read_parquet(cls, folder: PathLike, *, progress: Progress = None) -> Self:
        """The frame of a folder that `write_parquet` wrote, or that has such tables from elsewhere.

        What comes back, and errors in the tables, as in `from_tables`. Needs pyarrow.

        Raises
        ------
        PathNotFoundError, PathPermissionError, SystemCallError
            If a file is missing or cannot be read.
        CorruptFileError
            If one is no Parquet file, with its name.
        """
        return cls._with_core(frame_of_tables(read_folder(folder), progress))

    def to_sql(
        self,
        connection: Any,
        *,
        prefix: str = "starlings_",
        schema: str | None = None,
        if_exists: IfExists = "fail",
        expand: bool = True,
        max_expanded: int | None = None,
        progress: Progress = None,
    ) -> None:
        """Write the tables of `to_tables` to DuckDB or PostgreSQL: all of them, or none.

        Outside a transaction this is one of its own. In a transaction of yours nothing is committed: the tables wait
        for your commit. With ADBC that is always so unless the connection was opened with ``autocommit=True``. If
        writing fails there, it is taken back to a savepoint, or your transaction is left as one that can only be rolled
        back, which a note on the exception then says; docs/databases.md tells when.

        Parameters
        ----------
        connection : duckdb.DuckDBPyConnection or adbc_driver_postgresql.dbapi.Connection
            An open connection.
        prefix : str
            What the names of the tables begin with.
        schema : str, optional
            Where they are; by default in the current schema of the connection.
        if_exists : {"fail", "replace"}
            Whether tables of these names are dropped first.
        expand, max_expanded
            As in `to_tables`.
        progress : bool, callable or None
            As in `write_parquet`.

        Raises
        ------
        InvalidArgumentError
            For another kind of connection, for tables that are there and not to be replaced, and for names that the
            database cannot hold.
        """
        state = self._core.now()
        tables = tables_of_state(state, expand, max_expanded, progress)
        write_tables(connection, state, tables, prefix, schema, if_exists, progress)

    @classmethod
    def from_sql(
        cls,
        connection: Any,
        *,
        prefix: str = "starlings_",
        schema: str | None = None,
        progress: Progress = None,
    ) -> Self:
        """The frame whose tables `to_sql` wrote; parameters as there.

        All tables are read as they are at one moment. What comes back, and errors in the tables, as in `from_tables`.

        Raises
        ------
        InvalidArgumentError
            For another kind of connection, and if a table is missing.
        """
        return cls._with_core(frame_of_tables(read_tables(connection, prefix, schema), progress))

    # ------------------------------------------------------------------------------------------------------- explorer

    def explore(
        self,
        path: PathLike,
        *,
        reference: Expression | str | None = None,
        metrics: Iterable[MetricLike] | MetricLike | Defaults | None = None,
        title: str | None = None,
        sample: SampleLike | None = None,
        weights: Weights = "uniform",
        level: float = 0.95,
        source: str = "default",
        max_records: int | None = None,
        progress: Progress = None,
    ) -> Path:
        """Write the frame as one HTML file to look into: its collections at every threshold, without a network.

        It shows curves of every collection with a slider over them, the sizes of entities at the cut, the merges that
        change most, what differs between any two cuts, and finds records by key. How to read it: docs/explorer.md.

        Parameters
        ----------
        path : path
            The file, in a folder that exists. One that is there is replaced and its mode kept; a symbolic link is
            followed.
        reference : expression or str, optional
            What is taken as truth: ``col(name).at(threshold)``; a name alone stands for its cut at 1.0.
        metrics : metrics or names, optional
            What to show, the first of them first. By default the usual ones of those that can be had: with a reference
            f1, precision, recall, their B-cubed and cluster forms, ari, nmi and variation_of_information; from a sample
            f1, precision and recall. Statistics such as entity_count are always there.
        title : str, optional
            Of the page.
        sample : mapping, iterable or pandas.Series, optional
            Instead of a reference, true entities as in `estimate`: metrics are estimates then, with confidence bands.
        weights, level, source
            Of a sample, as in `estimate`.
        max_records : int, optional
            How many records the page holds with their keys and attributes; by default so many that it stays at about
            20 MB, at most 200,000. Of a frame with more, it holds those of the merges listed, of the largest entities
            and a sample, and says so. Curves and sizes are always of all records.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        CollectionNotFoundError, UnknownMetricError
            With the nearest name.
        InvalidArgumentError
            For a reference of several cuts, for a reference and a sample, and for a metric that needs a reference where
            there is none.
        PathNotFoundError, PathIsFolderError, PathPermissionError, SystemCallError
            If the file cannot be written; what was there still is.
        MissingDependencyError
            For attributes of other types than bool, int, float, str and bytes, without pyarrow.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6)])
        >>> frame.add_collection_from_entities("truth", [{"a", "b", "c"}])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = frame.explore(Path(folder) / "report.html", reference="truth", title="Customers")
        ...     "<title>Customers</title>" in page.read_text()
        True
        """
        state = self._core.now()
        yardstick = yardstick_of(state, reference, sample, weights, metrics, level, source)
        return explore(path, Subject.of_state(state), yardstick, title, max_records, progress)
