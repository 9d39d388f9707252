"""Frames in DuckDB and PostgreSQL: what goes in comes back, all tables or none, and nobody's own work is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as postgresql_driver
import duckdb
import pyarrow as pa
import pytest
from hypothesis import given

import starlings as sl
from page_blocks import ROOT, blocks_of, run_python
from relation_cases import assert_same, frame_of_all_keys, frames
from starlings import databases
from starlings.relations import READ, RELATIONS, Relation


@pytest.fixture(scope="module")
def frame() -> sl.EntityFrame:
    return frame_of_all_keys()


@pytest.fixture
def small() -> sl.EntityFrame:
    frame = sl.EntityFrame()
    frame.add_collection("small", edges=[(1, "1", 0.5)])
    return frame


class Database:
    """What the tests do with either database, in its own words."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def run(self, statement: str) -> None:
        with self.connection.cursor() if self.is_postgresql else _Borrowed(self.connection) as cursor:
            cursor.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() if self.is_postgresql else _Borrowed(self.connection) as cursor:
            cursor.execute(query)
            return [tuple(row) for row in cursor.fetchall()]

    @property
    def is_postgresql(self) -> bool:
        return not isinstance(self.connection, duckdb.DuckDBPyConnection)

    def tables(self) -> set[str]:
        query = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'starlings%'"
        return {name for (name,) in self.rows(query)}


class _Borrowed:
    """A connection of DuckDB as its own cursor: another one would be outside its transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        return self.connection

    def __exit__(self, *error: object) -> None:
        return None


def _empty(address: str) -> None:
    with postgresql_driver.connect(address, autocommit=True) as connection:
        for statement in (
            "DROP SCHEMA public CASCADE",
            "CREATE SCHEMA public",
            'DROP SCHEMA IF EXISTS "o""dd" CASCADE',
        ):
            Database(connection).run(statement)


@pytest.fixture
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Database]]:
    """Opens connections to one empty database; ``request.param`` says of which kind."""
    opened: list[Any] = []
    if request.param == "duckdb":
        root = duckdb.connect()
        opened.append(root)

        def open_one() -> Any:
            return root.cursor()
    else:
        address = request.getfixturevalue("postgresql")
        _empty(address)

        def open_one() -> Any:
            return postgresql_driver.connect(address, autocommit=request.param == "postgresql, autocommit")

    def connect() -> Database:
        opened.append(open_one())
        return Database(opened[-1])

    yield connect
    for connection in reversed(opened):
        connection.close()


DATABASES = ["duckdb", "postgresql", "postgresql, autocommit"]
every_database = pytest.mark.parametrize("connect", DATABASES, indirect=True)
every_own_transaction = pytest.mark.parametrize("connect", ["duckdb", "postgresql, autocommit"], indirect=True)


# ------------------------------------------------------------------------------------------------------- round trips


@given(frames())
def test_duckdb_brings_back_any_frame(any_frame: sl.EntityFrame) -> None:
    with duckdb.connect() as connection:
        any_frame.to_sql(connection)
        assert_same(any_frame, sl.EntityFrame.from_sql(connection))


@every_database
def test_every_kind_of_key_comes_back(frame: sl.EntityFrame, connect: Callable[..., Database]) -> None:
    database = connect()
    frame.to_sql(database.connection)
    assert database.tables() == {f"starlings_{name}" for name in RELATIONS}
    assert_same(frame, sl.EntityFrame.from_sql(database.connection))


@every_database
def test_an_empty_frame_comes_back(connect: Callable[..., Database]) -> None:
    database = connect()
    sl.EntityFrame().to_sql(database.connection)
    assert sl.EntityFrame.from_sql(database.connection).num_records == 0


@every_database
def test_the_expanded_table_can_be_left_out(frame: sl.EntityFrame, connect: Callable[..., Database]) -> None:
    database = connect()
    with pytest.raises(sl.CapacityError, match="max_expanded"):
        frame.to_sql(database.connection, max_expanded=10)
    assert database.tables() == set()
    frame.to_sql(database.connection, expand=False)
    assert database.tables() == {f"starlings_{name}" for name in READ}
    assert_same(frame, sl.EntityFrame.from_sql(database.connection))


@every_database
def test_columns_are_not_null_and_have_the_types_that_the_engine_writes(
    frame: sl.EntityFrame, connect: Callable[..., Database]
) -> None:
    database = connect()
    frame.to_sql(database.connection)
    query = (
        "SELECT table_name, column_name, is_nullable, data_type FROM information_schema.columns "
        "WHERE table_name LIKE 'starlings%' ORDER BY table_name, ordinal_position"
    )
    found = [
        (name.removeprefix("starlings_"), column, kind)
        for name, column, null, kind in database.rows(query)
        if null == "NO"
    ]
    kinds = {"bigint": "int64", "text": "string", "varchar": "string", "double": "double", "double precision": "double"}
    expected = []
    for name in sorted(RELATIONS):
        for field in frame.to_tables()[name].to_arrow().schema:
            kind = str(getattr(field.type, "value_type", field.type))
            expected.append((name, field.name, kind))
    assert [(n, c, kinds.get(k.lower(), "bool")) for n, c, k in found] == expected


# -------------------------------------------------------------------------------------------------- names, replacing


@every_database
@pytest.mark.parametrize("prefix", ["", 'x"; DROP TABLE mine; --', "été 日本 ", "Mixed", "'", "%s", "a.b"])
def test_any_prefix_is_a_name_and_nothing_else(
    small: sl.EntityFrame, connect: Callable[..., Database], prefix: str
) -> None:
    database = connect()
    database.run("CREATE TABLE mine (a BIGINT)")
    small.to_sql(database.connection, prefix=prefix)
    names = {name for (name,) in database.rows("SELECT table_name FROM information_schema.tables")}
    assert {prefix + name for name in RELATIONS} | {"mine"} <= names
    assert_same(small, sl.EntityFrame.from_sql(database.connection, prefix=prefix))


@every_database
def test_a_schema_is_a_name_and_nothing_else(
    frame: sl.EntityFrame, small: sl.EntityFrame, connect: Callable[..., Database]
) -> None:
    database = connect()
    database.run('CREATE SCHEMA "o""dd"')
    frame.to_sql(database.connection, schema='o"dd')
    small.to_sql(database.connection)
    assert_same(frame, sl.EntityFrame.from_sql(database.connection, schema='o"dd'))
    assert_same(small, sl.EntityFrame.from_sql(database.connection))


@every_database
def test_tables_that_are_there_are_kept_or_replaced(
    frame: sl.EntityFrame, small: sl.EntityFrame, connect: Callable[..., Database]
) -> None:
    database = connect()
    frame.to_sql(database.connection)
    with pytest.raises(sl.InvalidArgumentError, match=r"starlings_records already.*if_exists"):
        small.to_sql(database.connection)
    assert_same(frame, sl.EntityFrame.from_sql(database.connection))
    small.to_sql(database.connection, if_exists="replace", expand=False)
    assert database.tables() == {f"starlings_{name}" for name in READ}
    assert_same(small, sl.EntityFrame.from_sql(database.connection))
    with pytest.raises(sl.InvalidArgumentError, match="if_exists"):
        small.to_sql(database.connection, if_exists="append")  # type: ignore[arg-type]


@every_database
def test_one_table_in_the_way_is_enough(small: sl.EntityFrame, connect: Callable[..., Database]) -> None:
    database = connect()
    database.run("CREATE TABLE starlings_merge_group_records (a BIGINT)")
    with pytest.raises(sl.InvalidArgumentError, match="starlings_merge_group_records already"):
        small.to_sql(database.connection, expand=False)
    assert database.tables() == {"starlings_merge_group_records"}


@every_database
def test_missing_tables_are_named_and_the_transaction_goes_on(
    small: sl.EntityFrame, connect: Callable[..., Database]
) -> None:
    database = connect()
    with pytest.raises(sl.InvalidArgumentError, match=r"no table .*starlings_records"):
        sl.EntityFrame.from_sql(database.connection)
    small.to_sql(database.connection)
    database.run("DROP TABLE starlings_merge_groups")
    with pytest.raises(sl.InvalidArgumentError, match=r"no table .*starlings_merge_groups"):
        sl.EntityFrame.from_sql(database.connection)
    assert database.rows("SELECT 1") == [(1,)]


@every_database
def test_names_that_cannot_be_are_refused(small: sl.EntityFrame, connect: Callable[..., Database]) -> None:
    database = connect()
    for names in ({"prefix": "a\0"}, {"prefix": 3}, {"schema": "\0"}):
        with pytest.raises(sl.InvalidArgumentError, match="NUL"):
            small.to_sql(database.connection, **names)  # type: ignore[arg-type]
        with pytest.raises(sl.InvalidArgumentError, match="NUL"):
            sl.EntityFrame.from_sql(database.connection, **names)  # type: ignore[arg-type]


def test_postgresql_refuses_what_it_would_cut_or_cannot_hold(small: sl.EntityFrame, postgresql: str) -> None:
    _empty(postgresql)
    with postgresql_driver.connect(postgresql) as connection:
        with pytest.raises(sl.InvalidArgumentError, match="63 bytes"):
            small.to_sql(connection, prefix="x" * 45)
        for name, source in (("a\0b", "s"), ("c", "s\0")):
            frame = sl.EntityFrame()
            frame.add_collection(name, edges=[(1, 2, 0.5)], source=source)
            with pytest.raises(sl.InvalidArgumentError, match="NUL in its name"):
                frame.to_sql(connection)
        assert Database(connection).tables() == set()


def test_duckdb_holds_names_with_any_character() -> None:
    frame = sl.EntityFrame()
    frame.add_collection("a\0b", edges=[(1, 2, 0.5)], source="s\0")
    with duckdb.connect() as connection:
        frame.to_sql(connection)
        assert_same(frame, sl.EntityFrame.from_sql(connection))


def test_duckdb_knows_names_whatever_their_case(frame: sl.EntityFrame, small: sl.EntityFrame) -> None:
    with duckdb.connect() as connection:
        frame.to_sql(connection, prefix="ER_")
        small.to_sql(connection, prefix="er_", if_exists="replace", schema="MAIN")
        assert_same(small, sl.EntityFrame.from_sql(connection, prefix="Er_"))


def test_other_connections_are_refused_with_those_that_will_do(small: sl.EntityFrame) -> None:
    import sqlite3

    with sqlite3.connect(":memory:") as connection:
        for other in (connection, "postgresql://localhost", None):
            with pytest.raises(sl.InvalidArgumentError, match=r"duckdb or of adbc_driver_postgresql\.dbapi"):
                small.to_sql(other)
            with pytest.raises(sl.InvalidArgumentError, match=r"duckdb or of adbc_driver_postgresql\.dbapi"):
                sl.EntityFrame.from_sql(other)


# ------------------------------------------------------------------------------------------------------ transactions


@every_own_transaction
def test_outside_a_transaction_the_tables_are_committed(
    small: sl.EntityFrame, connect: Callable[..., Database]
) -> None:
    database = connect()
    small.to_sql(database.connection)
    assert_same(small, sl.EntityFrame.from_sql(connect().connection))
    database.run("BEGIN")  # no transaction was left open
    database.run("ROLLBACK")


@every_database
def test_in_the_callers_transaction_nothing_is_committed(
    small: sl.EntityFrame, connect: Callable[..., Database]
) -> None:
    database = connect()
    _begin_with_a_row(database)
    small.to_sql(database.connection)
    assert_same(small, sl.EntityFrame.from_sql(database.connection))
    assert connect().tables() == set()
    _end(database, "rollback")
    assert database.tables() == set()
    _begin_with_a_row(database)
    small.to_sql(database.connection)
    _end(database, "commit")
    assert connect().rows("SELECT a FROM mine") == [(7,)]
    assert_same(small, sl.EntityFrame.from_sql(connect().connection))


def _begin_with_a_row(database: Database) -> None:
    """A transaction of the caller's with work of his own in it."""
    if not database.is_postgresql or _is_autocommit(database):
        database.run("BEGIN")
    database.run("CREATE TABLE mine (a BIGINT)")
    database.run("INSERT INTO mine VALUES (7)")


def _is_autocommit(database: Database) -> bool:
    return bool(database.connection.adbc_connection.get_option("adbc.connection.autocommit") == "true")


def _end(database: Database, how: str) -> None:
    if database.is_postgresql and not _is_autocommit(database):
        getattr(database.connection, how)()
    else:
        database.run(how.upper())


class Failure(Exception):
    """Not of the database's making."""


def _break_third_table(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Let the writing of merge_events fail, in the database or on this side."""
    create = databases._Database.create

    def failing(self: Any, name: str, table: Relation, progress: object) -> None:
        if name == "merge_events":
            if how == "python":
                raise Failure
            if how == "interrupt":
                raise KeyboardInterrupt
            if how == "database":
                self.execute("SELECT CAST('x' AS BIGINT)")
            if how == "duplicate":
                self.execute(f"INSERT INTO {self.quoted('collections')} VALUES (0, NULL, '', true, 1, 1, 1, 1)")
        create(self, name, table, progress)

    monkeypatch.setattr(databases._Database, "create", failing)


HOW = ["python", "interrupt", "database", "duplicate"]


@every_own_transaction
@pytest.mark.parametrize("how", HOW)
def test_what_fails_half_way_leaves_the_tables_that_were_there(
    frame: sl.EntityFrame,
    small: sl.EntityFrame,
    connect: Callable[..., Database],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    database = connect()
    with monkeypatch.context() as patch:
        _break_third_table(patch, how)
        with pytest.raises((Exception, KeyboardInterrupt)):
            small.to_sql(database.connection)
        assert database.tables() == connect().tables() == set()
    frame.to_sql(database.connection)
    _break_third_table(monkeypatch, how)
    with pytest.raises((Exception, KeyboardInterrupt)):
        small.to_sql(database.connection, if_exists="replace")
    assert_same(frame, sl.EntityFrame.from_sql(database.connection))
    assert_same(frame, sl.EntityFrame.from_sql(connect().connection))


@pytest.mark.parametrize("connect", ["postgresql", "postgresql, autocommit"], indirect=True)
@pytest.mark.parametrize("how", HOW)
def test_postgresql_goes_back_to_before_the_call_where_the_driver_lets_it(
    small: sl.EntityFrame, connect: Callable[..., Database], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The caller's row is still there to be committed, or the exception says that only a rollback is left."""
    database = connect()
    _begin_with_a_row(database)
    _break_third_table(monkeypatch, how)
    with pytest.raises((Exception, KeyboardInterrupt)) as failed:
        small.to_sql(database.connection)
    notes = getattr(failed.value, "__notes__", [])
    if _is_autocommit(database) or how in ("python", "interrupt"):
        assert notes == []
        assert database.tables() == set()
        assert database.rows("SELECT a FROM mine") == [(7,)]
        _end(database, "commit")
        assert connect().rows("SELECT a FROM mine") == [(7,)]
    else:
        assert notes == ["your transaction is aborted: nothing of it can be committed, call rollback()"]
        with pytest.raises(postgresql_driver.Error):
            database.rows("SELECT a FROM mine")
        with pytest.raises(sl.InvalidArgumentError, match=r"rollback\(\) first"):
            small.to_sql(database.connection)
        database.connection.rollback()
        assert connect().rows("SELECT count(*) FROM information_schema.tables WHERE table_name = 'mine'") == [(0,)]
    assert connect().tables() == set()


@pytest.mark.parametrize("how", HOW)
def test_duckdb_leaves_the_callers_transaction_to_be_rolled_back(
    small: sl.EntityFrame, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    with duckdb.connect() as connection:
        database = Database(connection)
        database.run("CREATE TABLE earlier (a BIGINT)")
        _begin_with_a_row(database)
        with monkeypatch.context() as patch:
            _break_third_table(patch, how)
            with pytest.raises((Exception, KeyboardInterrupt)) as failed:
                small.to_sql(connection)
        assert failed.value.__notes__ == ["DuckDB has no savepoints: your transaction is aborted, call rollback()"]
        with pytest.raises(duckdb.TransactionException, match="aborted"):
            database.rows("SELECT * FROM earlier")
        connection.rollback()
        assert database.rows("SELECT table_name FROM information_schema.tables") == [("earlier",)]
        small.to_sql(connection)
        assert_same(small, sl.EntityFrame.from_sql(connection))


@every_own_transaction
def test_progress_tells_the_rows_and_what_it_raises_leaves_nothing(
    small: sl.EntityFrame, connect: Callable[..., Database]
) -> None:
    database, told = connect(), []

    def stop(phase: str, done: int, total: int) -> None:
        told.append((phase, done, total))
        if phase == "writing merge_groups":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small.to_sql(database.connection, progress=stop)
    assert database.tables() == connect().tables() == set()
    rows = {name: table.to_arrow().num_rows for name, table in small.to_tables().items()}
    written = [phase for phase, _, _ in told if phase.startswith("writing ")]
    assert written == [f"writing {name}" for name in list(rows)[:4]]
    assert told[-4:] == [(f"writing {name}", rows[name], 0) for name in list(rows)[:4]]
    with pytest.raises(sl.InvalidArgumentError, match="progress"):
        small.to_sql(database.connection, progress="yes")  # type: ignore[arg-type]
    small.to_sql(database.connection, progress=lambda *told: None)
    assert_same(small, sl.EntityFrame.from_sql(database.connection))


@every_own_transaction
def test_a_view_is_never_replaced(small: sl.EntityFrame, connect: Callable[..., Database]) -> None:
    database = connect()
    small.to_sql(database.connection, prefix="other_")
    database.run("CREATE VIEW starlings_collections AS SELECT * FROM other_collections")
    for if_exists, why in (("fail", "there is a table"), ("replace", "is a view")):
        with pytest.raises(sl.InvalidArgumentError, match=why):
            small.to_sql(database.connection, if_exists=if_exists)  # type: ignore[arg-type]
    for name in ("records", "merge_events", "merge_groups"):
        database.run(f"CREATE VIEW starlings_{name} AS SELECT * FROM other_{name}")
    assert_same(small, sl.EntityFrame.from_sql(database.connection))


def test_a_closed_connection_of_postgresql_is_told_from_an_open_one(small: sl.EntityFrame, postgresql: str) -> None:
    connection = postgresql_driver.connect(postgresql)
    connection.close()
    with pytest.raises(sl.InvalidArgumentError, match="open connection"):
        small.to_sql(connection)


def test_a_connection_that_is_lost_half_way_leaves_nothing(
    small: sl.EntityFrame, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _empty(postgresql)
    with postgresql_driver.connect(postgresql, autocommit=True) as other:
        connection = postgresql_driver.connect(postgresql, autocommit=True)
        [(process,)] = Database(connection).rows("SELECT pg_backend_pid()")
        load = databases._PostgreSQL.load

        def cut(self: Any, name: str, batch: pa.RecordBatch) -> None:
            if name == "merge_events":
                Database(other).rows(f"SELECT pg_terminate_backend({process}, 5000)")
            load(self, name, batch)

        monkeypatch.setattr(databases._PostgreSQL, "load", cut)
        with pytest.raises(postgresql_driver.Error):
            small.to_sql(connection)
        assert Database(other).tables() == set()
        connection.close()


@every_own_transaction
def test_a_stream_that_fails_half_way_leaves_nothing(
    small: sl.EntityFrame, connect: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Relation.__arrow_c_stream__

    def failing(self: Relation, requested_schema: object | None = None) -> object:
        reader = pa.RecordBatchReader._import_from_c_capsule(stream(self))
        if self.name != "merge_events":
            return reader.__arrow_c_stream__()

        def batches() -> Iterator[pa.RecordBatch]:
            yield from reader
            raise OSError("the third table broke")

        return pa.RecordBatchReader.from_batches(reader.schema, batches()).__arrow_c_stream__()

    database = connect()
    monkeypatch.setattr(Relation, "__arrow_c_stream__", failing)
    with pytest.raises(Exception, match="the third table broke"):
        small.to_sql(database.connection)
    assert database.tables() == connect().tables() == set()


def test_postgresql_reads_one_state_while_another_replaces(
    frame: sl.EntityFrame, small: sl.EntityFrame, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table cannot be replaced between two that are read: whoever replaces waits."""
    _empty(postgresql)
    with (
        postgresql_driver.connect(postgresql, autocommit=True) as reader,
        postgresql_driver.connect(postgresql, autocommit=True) as writer,
    ):
        frame.to_sql(reader)
        Database(writer).run("SET lock_timeout = '100ms'")
        fetch, refused = databases._PostgreSQL.fetch, []

        def replace(self: Any, query: str) -> Any:
            with pytest.raises(postgresql_driver.Error, match="lock timeout"):
                small.to_sql(writer, if_exists="replace")
            refused.append(query)
            return fetch(self, query)

        with monkeypatch.context() as patch:
            patch.setattr(databases._PostgreSQL, "fetch", replace)
            assert_same(frame, sl.EntityFrame.from_sql(reader))
        assert len(refused) == len(READ)
        small.to_sql(writer, if_exists="replace")
        assert_same(small, sl.EntityFrame.from_sql(reader))


# ------------------------------------------------------------------------------------------------------- docs/databases


PAGE = ROOT / "docs" / "databases.md"


@pytest.fixture(scope="module")
def model() -> sl.EntityFrame:
    """A frame as the statements of the page expect one: with ties, three components at once, and another collection."""
    frame = sl.EntityFrame()
    frame.add_collection("noise", edges=[("ann", "bob", 0.99)], source="crm")
    edges = [("ann", "anne", 0.97), ("bob", "rob", 0.9), ("rob", "robin", 0.9), ("anne", "bob", 0.85), ("x", "y", 0.5)]
    frame.add_collection("model", edges=[*edges, ("x", "ann", 0.25), ("z", "z", 1.0)], source="crm")
    return frame


@every_database
def test_statements_of_the_page_say_what_the_package_says(
    model: sl.EntityFrame, connect: Callable[..., Database]
) -> None:
    database = connect()
    model.to_sql(database.connection)
    statements = [block.code.rstrip(";\n") for block in blocks_of(PAGE, "sql")]
    entities, climbed, growth, counts = map(database.rows, statements)
    collection = model["model"]
    labels = collection.at(0.85).labels.tolist()
    assert _groups([(row[0], row[3]) for row in entities]) == _groups(enumerate(labels))
    assert sorted((row[0], row[3]) for row in entities) == sorted(climbed)
    assert [(step.threshold, step.size) for step in list(collection.lineage("ann"))[1:]] == growth
    found = [(threshold, int(count)) for threshold, count in counts]
    assert found == [(t, collection.at(t).num_entities) for t in collection.thresholds.tolist()]


def _groups(rows: Iterable[tuple[int, int]]) -> set[frozenset[int]]:
    """The records that have one entity."""
    groups: dict[int, set[int]] = {}
    for record, entity in rows:
        groups.setdefault(entity, set()).add(record)
    return set(map(frozenset, groups.values()))


def test_the_program_for_postgresql_runs(postgresql: str, tmp_path: Path) -> None:
    _empty(postgresql)
    [block] = blocks_of(PAGE, "text")
    assert block.code.count("postgresql://localhost/people") == 1
    run_python(block.code.replace("postgresql://localhost/people", postgresql), tmp_path)
    with postgresql_driver.connect(postgresql, autocommit=True) as connection:
        assert sl.EntityFrame.from_sql(connection).collection_names() == ["model"]
