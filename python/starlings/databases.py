"""Frames in databases: the tables of the relational form in DuckDB and PostgreSQL.

All tables come about in one transaction, or none. Where the caller has none open it is begun and committed here. In one
of the caller's own nothing is committed: what he wrote before waits for his commit, beside the tables. If writing fails
there, PostgreSQL goes back to a savepoint where the connection allows it; otherwise, and in DuckDB, which has no
savepoints, the transaction is left in the state in which the database takes nothing but a rollback.

Rows go through Arrow, a batch at a time: DuckDB scans it, the ADBC driver copies it in binary. Neither library is
imported to recognise a connection.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from importlib import import_module
from secrets import token_hex
from typing import TYPE_CHECKING, Any, ClassVar, Final

from starlings import _core
from starlings._typing import Progress
from starlings.exceptions import InvalidArgumentError, shown
from starlings.optional import require
from starlings.parquet import IfExists, check_if_exists
from starlings.progress import reporting
from starlings.relations import READ, RELATIONS, Relation, batches_of

if TYPE_CHECKING:
    from starlings._core import ProgressCallback

__all__ = ["read_tables", "write_tables"]

#: Columns and their types, which both databases know by these names, and the columns of the primary key: of the tables
#: that others join to, not of those that nobody looks into by key, for which it would double the time of writing.
_TABLES: Final[Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]]] = {
    "records": (
        {"record_index": "BIGINT", "source": "TEXT", "key": "TEXT", "key_kind": "TEXT"},
        ("record_index",),
    ),
    "collections": (
        {
            "collection_id": "BIGINT",
            "name": "TEXT",
            "scale": "TEXT",
            "exact": "BOOLEAN",
            "decimals": "BIGINT",
            "num_records": "BIGINT",
            "num_merges": "BIGINT",
            "form_version": "BIGINT",
        },
        ("collection_id",),
    ),
    "merge_events": (
        {
            "collection_id": "BIGINT",
            "event": "BIGINT",
            "threshold": "FLOAT8",
            "result_component": "BIGINT",
            "num_records": "BIGINT",
        },
        ("collection_id", "event"),
    ),
    "merge_groups": (
        {"collection_id": "BIGINT", "event": "BIGINT", "merging_group": "BIGINT", "component": "BIGINT"},
        (),
    ),
    "merge_group_records": (
        {"collection_id": "BIGINT", "event": "BIGINT", "merging_group": "BIGINT", "record_index": "BIGINT"},
        (),
    ),
}


def write_tables(
    connection: Any,
    state: _core.FrameState,
    tables: Mapping[str, Relation],
    prefix: str,
    schema: str | None,
    if_exists: IfExists,
    progress: Progress,
) -> None:
    """Write the tables of a frame in that state, all of them or none.

    Raises
    ------
    InvalidArgumentError
        For a connection that is none of the two, for a name that the database cannot hold, and if a table is there
        already and not to be replaced, as a view never is.
    """
    check_if_exists(if_exists)
    database = _database(connection, "to_sql()", prefix, schema)
    database.check_names({"collection": state.names(), "source": state.sources()})
    with reporting(progress) as callback, database.transaction():
        _make_room(database, if_exists)
        for name, table in tables.items():
            database.create(name, table, callback)


def _make_room(database: _Database, if_exists: IfExists) -> None:
    """Drop the tables that are there, or raise an error if they are not to be replaced."""
    there = {name: kind for name in RELATIONS if (kind := database.kind(name))}
    if there and if_exists == "fail":
        first = database.shown(next(iter(there)))
        raise InvalidArgumentError(f'there is a table {first} already: give another prefix, or if_exists="replace"')
    for name, kind in there.items():
        if kind == "VIEW":
            raise InvalidArgumentError(f"{database.shown(name)} is a view, which is not replaced: give another prefix")
    for name in there:
        database.execute(f"DROP TABLE {database.quoted(name)}")


def read_tables(connection: Any, prefix: str, schema: str | None) -> dict[str, Any]:
    """The tables that tell a frame, as they are at one moment.

    Raises
    ------
    InvalidArgumentError
        For a connection that is none of the two, and if a table is missing.
    """
    database = _database(connection, "from_sql()", prefix, schema)
    missing = [name for name in READ if not database.kind(name)]
    if missing:
        raise InvalidArgumentError(f"there is no table {database.shown(missing[0])}: was it written by to_sql()?")
    with database.reading():
        return {name: database.fetch(f"SELECT * FROM {database.quoted(name)}") for name in READ}


def _database(connection: Any, purpose: str, prefix: str, schema: str | None) -> _Database:
    """How to speak with that connection."""
    for kind in (_DuckDB, _PostgreSQL):
        if kind.is_of(connection):
            require("pyarrow", purpose)
            database = kind(connection, prefix, schema)
            database.look()
            return database
    raise InvalidArgumentError(
        f"{purpose} takes an open connection of duckdb or of adbc_driver_postgresql.dbapi, not {shown(connection)}"
    )


def _quote(name: str) -> str:
    """An identifier as SQL has it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _check_identifier(name: object, what: str) -> None:
    if not isinstance(name, str) or "\0" in name:
        raise InvalidArgumentError(f"{what} must be a str without the character NUL, not {shown(name)}")


class _Database(ABC):
    """A connection, and where the tables are in its database."""

    #: Whether the database checks primary keys at little cost.
    _with_keys: ClassVar[bool]
    #: How a transaction is begun that sees one state of the tables throughout.
    _begin_reading: ClassVar[str] = "BEGIN"

    def __init__(self, connection: Any, prefix: str, schema: str | None) -> None:
        _check_identifier(prefix, "prefix")
        if schema is not None:
            _check_identifier(schema, "schema")
        self._connection = connection
        self._prefix = prefix
        self._schema = schema
        self._is_callers = False

    def look(self) -> None:
        """See how the connection stands: whether the transaction is the caller's, and where tables are made."""
        self._is_callers = self.is_in_transaction()
        if self._schema is None:
            self._schema = self.values("SELECT current_schema()")[0]
        if self._schema is None:
            raise InvalidArgumentError("the connection has no schema to make tables in: name one with schema=")

    @classmethod
    @abstractmethod
    def is_of(cls, connection: Any) -> bool:
        """Whether that is a connection of this kind."""

    @abstractmethod
    def execute(self, statement: str) -> None:
        """Run a statement that gives nothing back."""

    @abstractmethod
    def fetch(self, query: str) -> Any:
        """The rows of a query as a pyarrow Table."""

    @abstractmethod
    def values(self, query: str, *parameters: str) -> list[Any]:
        """The first row of a query, empty if there is none; ``$1`` and so on stand for the parameters."""

    @abstractmethod
    def load(self, name: str, batch: Any) -> None:
        """Append the rows of a pyarrow RecordBatch to a table that is there."""

    @abstractmethod
    def is_in_transaction(self) -> bool:
        """Whether the caller has a transaction open, which is then his to commit."""

    @abstractmethod
    def inside(self) -> AbstractContextManager[None]:
        """The block inside the caller's own transaction, which is left in a known state if it fails."""

    @abstractmethod
    def check_names(self, names: Mapping[str, list[str]]) -> None:
        """Raise an error if the database cannot hold the tables under their names, or these names in them."""

    @abstractmethod
    def hold(self) -> None:
        """See to it that no table is replaced before all are read."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that the block does, or nothing."""
        with self.inside() if self._is_callers else self._own("BEGIN"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One state of the tables for all that the block reads."""
        with nullcontext() if self._is_callers else self._own(self._begin_reading):
            self.hold()
            yield

    @contextmanager
    def _own(self, begin: str) -> Iterator[None]:
        self.execute(begin)
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # the first error is the one to tell of; a lost connection rolls back by itself
                self.execute("ROLLBACK")
            raise

    def _same(self, name: str, other: str) -> str:
        """The condition that two names are one to the database."""
        return f"{name} = {other}"

    def kind(self, name: str) -> str | None:
        """What has that name, as ``"BASE TABLE"`` or ``"VIEW"``; None if nothing has."""
        query = (
            "SELECT table_type FROM information_schema.tables "
            f"WHERE table_catalog = current_database() AND {self._same('table_schema', '$1')} "
            f"AND {self._same('table_name', '$2')}"
        )
        found = self.values(query, str(self._schema), self._prefix + name)
        return str(found[0]) if found else None

    def quoted(self, name: str) -> str:
        """The full name of a table."""
        return f"{_quote(str(self._schema))}.{_quote(self._prefix + name)}"

    def shown(self, name: str) -> str:
        """The full name of a table for messages."""
        return f"{self._schema}.{self._prefix}{name}"

    def create(self, name: str, table: Relation, progress: ProgressCallback | None) -> None:
        """Make the table and fill it."""
        columns, key = _TABLES[name]
        described = ", ".join(f"{_quote(column)} {kind} NOT NULL" for column, kind in columns.items())
        self.execute(f"CREATE TABLE {self.quoted(name)} ({described})")
        for batch in batches_of(table, progress):
            self.load(name, batch)
        if key and self._with_keys:  # once the rows are there, which is quicker
            self.execute(f"ALTER TABLE {self.quoted(name)} ADD PRIMARY KEY ({', '.join(map(_quote, key))})")


class _DuckDB(_Database):
    """A connection of duckdb.

    Any error aborts a transaction, a failed attempt to begin one too: whether one is open is told by whether two
    statements have one number of transaction.
    """

    _with_keys = False  # an index costs more than the table

    @classmethod
    def is_of(cls, connection: Any) -> bool:
        kind = type(connection)
        return kind.__name__ == "DuckDBPyConnection" and kind.__module__.partition(".")[0] in ("duckdb", "_duckdb")

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def fetch(self, query: str) -> Any:
        return self._connection.sql(query).to_arrow_table()

    def values(self, query: str, *parameters: str) -> list[Any]:
        rows = self._connection.execute(query, list(parameters)).fetchall()  # all, or the result stays open
        return list(rows[0]) if rows else []

    def load(self, name: str, batch: Any) -> None:
        view = f"starlings_{token_hex(8)}"
        columns = ", ".join(map(_quote, _TABLES[name][0]))
        self._connection.register(view, import_module("pyarrow").Table.from_batches([batch]))
        try:
            self.execute(f"INSERT INTO {self.quoted(name)} ({columns}) SELECT {columns} FROM {_quote(view)}")
        finally:
            with suppress(Exception):  # in an aborted transaction; it goes with that
                self._connection.unregister(view)

    def check_names(self, names: Mapping[str, list[str]]) -> None:
        """DuckDB holds any."""

    def hold(self) -> None:
        """A transaction of DuckDB sees one state of the database from its first statement to its last."""

    def _same(self, name: str, other: str) -> str:
        return f"lower({name}) = lower({other})"

    def is_in_transaction(self) -> bool:
        number = "SELECT txid_current()"
        return bool(self.values(number) == self.values(number))

    @contextmanager
    def inside(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            with suppress(Exception):  # the way to say that this transaction must not be committed
                self.execute("SELECT error('to_sql() has failed')")
            error.add_note("DuckDB has no savepoints: your transaction is aborted, call rollback()")
            raise


class _PostgreSQL(_Database):
    """A connection of adbc_driver_postgresql.dbapi.

    With autocommit off, as it is by default, there is always a transaction of the caller's. The driver then lets
    nothing but a rollback through once a statement has failed; a savepoint serves what fails on this side.
    """

    _with_keys = True
    _begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    _STATUS: Final = "adbc.postgresql.transaction_status"
    _SAVEPOINT: Final = "starlings_to_sql"
    _LONGEST_NAME: Final = 63  # bytes; longer ones would be cut without an error

    @classmethod
    def is_of(cls, connection: Any) -> bool:
        kinds = {(kind.__module__, kind.__name__) for kind in type(connection).__mro__}
        if ("adbc_driver_manager.dbapi", "Connection") not in kinds:
            return False
        with suppress(Exception):  # of other drivers, which know no such option
            return bool(connection.adbc_connection.get_option(cls._STATUS))
        return False

    def check_names(self, names: Mapping[str, list[str]]) -> None:
        for table in RELATIONS:
            if len((self._prefix + table).encode()) > self._LONGEST_NAME:
                raise InvalidArgumentError(
                    f"the table {self._prefix}{table} would have a name of more than {self._LONGEST_NAME} bytes, which "
                    "PostgreSQL cuts; give a shorter prefix"
                )
        for what, those in names.items():
            for name in those:
                if "\0" in name:
                    raise InvalidArgumentError(
                        f"the {what} {name!r} has the character NUL in its name, which PostgreSQL cannot hold"
                    )

    def execute(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def fetch(self, query: str) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetch_arrow_table()

    def values(self, query: str, *parameters: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return list(cursor.fetchone() or ())

    def load(self, name: str, batch: Any) -> None:
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(self._prefix + name, batch, mode="append", db_schema_name=self._schema)

    def hold(self) -> None:
        # First of all in the transaction, before it sees a state of the database: nobody can drop them after that.
        self.execute(f"LOCK TABLE {', '.join(map(self.quoted, READ))} IN ACCESS SHARE MODE")

    def is_in_transaction(self) -> bool:
        if self._status() != "inerror":
            self.values("SELECT 1")  # after a COPY the driver does not know; a statement brings it up to date
        if self._status() == "inerror":
            raise InvalidArgumentError("the transaction of this connection has failed: call its rollback() first")
        is_own = self._connection.adbc_connection.get_option("adbc.connection.autocommit") != "true"
        return is_own or self._status() == "intrans"

    def _status(self) -> str:
        return str(self._connection.adbc_connection.get_option(self._STATUS))

    @contextmanager
    def inside(self) -> Iterator[None]:
        self.execute(f"SAVEPOINT {self._SAVEPOINT}")
        try:
            yield
        except BaseException as error:
            try:
                self.execute(f"ROLLBACK TO SAVEPOINT {self._SAVEPOINT}")
                self.execute(f"RELEASE SAVEPOINT {self._SAVEPOINT}")
            except Exception:
                error.add_note("your transaction is aborted: nothing of it can be committed, call rollback()")
            raise
        self.execute(f"RELEASE SAVEPOINT {self._SAVEPOINT}")
