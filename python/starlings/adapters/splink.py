"""Splink: its predictions, input tables, labels and clusters, and partitions as its own table of clusters.

Predictions need no adapter under Splink's own column names: `Collection.from_edges` and
`EntityFrame.add_collection_from_edges` take the SplinkDataFrame as it is. What they cannot know is in the linker: which
records there are, what their columns are called, and whether a record is named by its dataset as well. With a linker
these functions ask it; without one they go by the columns. A linker of Splink 5 is meant: its settings and its tables
have no public names.

Cluster ids are Splink's own: the least record of the cluster, by unique id alone where one dataset is deduplicated,
else by dataset and unique id, joined by ``-__-``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from starlings._typing import Scale
from starlings.adapters.clusters import collection_of_clusters, collection_of_labels
from starlings.adapters.cuts import check_partition, key_texts, output_table
from starlings.adapters.tables import Wanted, arrow_table, edge_table, find_column, find_columns, has_column
from starlings.collection import Collection
from starlings.dataframes import is_relation, is_splink, project, splink_stream
from starlings.exceptions import InvalidArgumentError, KeyNotFoundError, shown
from starlings.frame import EntityFrame
from starlings.optional import require
from starlings.partition import Partition

__all__ = ["edges", "frame", "from_clusters", "to_clusters", "truth"]

_SEPARATOR: Final = "-__-"
_UNIQUE_ID: Final = "unique_id"
_SOURCE_DATASET: Final = "source_dataset"
_DEFAULT: Final = "default"  # the source of records that Splink names without a dataset


@dataclass(frozen=True)
class _Names:
    """What the columns of a linkage are called; `source_dataset` None: there is one dataset, which no column names."""

    unique_id: str
    source_dataset: str | None

    @classmethod
    def of(cls, linker: Any, unique_id: str, source_dataset: str | None) -> _Names:
        """As the linker has them, or as given where there is none."""
        if linker is None:
            return cls(unique_id, source_dataset)
        columns = _settings(linker).column_info_settings
        return cls(columns.unique_id_column_name, columns.source_dataset_column_name)


def _settings(linker: Any) -> Any:
    """The settings of a linker."""
    settings = getattr(linker, "_settings_obj", None)
    if settings is None or not hasattr(linker, "_input_tables_dict"):
        raise InvalidArgumentError(f"linker must be a Linker of Splink, not {shown(linker)}")
    return settings


# ------------------------------------------------------------------------------------------------------------------- in


def edges(
    pairs: Any,
    linker: Any = None,
    *,
    score: str = "match_probability",
    unique_id: str = _UNIQUE_ID,
    source_dataset: str | None = _SOURCE_DATASET,
) -> Any:
    """Pairs of Splink as a table of edges, whatever their columns are called.

    Parameters
    ----------
    pairs : SplinkDataFrame or table
        What ``linker.inference.predict()`` gave, or a table of labels.
    linker : splink.Linker, optional
        Knows the names of the columns, and whether records are named by their dataset.
    score : str
        The column of the scores: ``match_probability``, ``match_weight`` for collections with ``scale="weight"``, or
        ``clerical_match_score`` of a table of labels.
    unique_id, source_dataset : str
        Without a linker: the columns that the settings name so, without ``_l`` and ``_r``. The datasets may be missing.

    Returns
    -------
    pyarrow.Table
        ``left_source, left, right_source, right, score``, without the sources where one dataset is deduplicated.

    Raises
    ------
    InvalidArgumentError
        If a column is missing, with those that there are.

    Examples
    --------
    >>> import starlings as sl
    >>> pairs = {"id_l": [1, 1], "id_r": [2, 3], "match_probability": [0.9, 0.4], "match_weight": [3.2, -0.6]}
    >>> edges = sl.adapters.splink.edges(pairs, unique_id="id", score="match_weight")
    >>> sl.Collection.from_edges(edges, scale="weight").at(0.0).to_list() == [
    ...     {("default", 1), ("default", 2)}, {("default", 3)}
    ... ]
    True
    """
    names = _Names.of(linker, unique_id, source_dataset)
    table = _chosen(pairs, names, score)

    def sides(name: str, holds: str, option: str) -> list[Any]:
        option = "" if linker is not None else option
        return find_columns(table, "the pairs", *(Wanted(name + end, holds, option) for end in ("_l", "_r")))

    left, right = sides(names.unique_id, "unique ids", "unique_id")
    scores = find_column(table, "the pairs", Wanted(score, "scores", "score"))
    dataset = names.source_dataset
    if dataset is None or (linker is None and not any(has_column(table, dataset + end) for end in ("_l", "_r"))):
        return edge_table(left, right, scores)
    return edge_table(left, right, scores, *sides(dataset, "datasets", "source_dataset"))


def _chosen(pairs: Any, names: _Names, score: str) -> Any:
    """The pairs as a table of pyarrow; what is on DuckDB leaves all but the columns asked for there."""
    stream = splink_stream(pairs) if is_splink(pairs) else pairs
    if is_relation(stream):
        needed = [names.unique_id + "_l", names.unique_id + "_r", score]
        datasets = [f"{names.source_dataset}_l", f"{names.source_dataset}_r"]
        if set(needed) <= set(stream.columns):
            stream = project(stream, (name for name in (*needed, *datasets) if name in stream.columns))
    return arrow_table(stream, "the pairs")


def frame(linker: Any) -> EntityFrame:
    """All records of a linker, with their attributes, by dataset: what its predictions are about.

    Sources are called as the predictions call them, so that these go in as they are: by the datasets' names, and
    ``"default"`` where one dataset is deduplicated.

    Parameters
    ----------
    linker : splink.Linker

    Returns
    -------
    EntityFrame
        Without collections; `EntityFrame.add_collection_from_edges` takes predictions.
    """
    result = EntityFrame()
    unique_id = _settings(linker).column_info_settings.unique_id_column_name
    for source, records in _inputs(linker):
        result.add_records(source, records, unique_id)
    return result


def _inputs(linker: Any) -> Iterator[tuple[str, Any]]:
    """Each dataset of a linker, by the name that predictions have for it, as a table of pyarrow."""
    dataset = _settings(linker).column_info_settings.source_dataset_column_name
    for table in linker._input_tables_dict.values():
        records = arrow_table(table, "the records")
        if dataset is None:
            yield _DEFAULT, records
        elif has_column(records, dataset):
            yield from _by_source(records, find_column(records, "the records", Wanted(dataset, "datasets")))
        else:
            yield table.dataset_display_name, records


def _by_source(records: Any, sources: Any) -> Iterator[tuple[str, Any]]:
    """Each source with its rows, in order of first appearance."""
    import pyarrow.compute as compute  # type: ignore[import-untyped]

    for source in compute.unique(sources).to_pylist():
        if source is None:
            raise InvalidArgumentError("the records: a row has no dataset; Splink names records by it: fill it in")
        yield str(source), records.filter(compute.equal(sources, source))


def from_clusters(
    clusters: Any,
    linker: Any = None,
    *,
    threshold: float = 1.0,
    cluster: str = "cluster_id",
    unique_id: str = _UNIQUE_ID,
    source_dataset: str | None = _SOURCE_DATASET,
) -> Collection:
    """Clusters of Splink as a collection.

    Parameters
    ----------
    clusters : SplinkDataFrame or table
        What ``linker.clustering.cluster_pairwise_predictions_at_threshold`` gave.
    linker : splink.Linker, optional
        Knows the names of the columns, and whether records are named by their dataset.
    threshold : float
        From where on the records of a cluster are together.
    cluster : str
        The column of the clusters.
    unique_id, source_dataset : str
        Without a linker: the columns of the records. That of the datasets may be missing.

    Raises
    ------
    InvalidArgumentError
        If a column is missing, with those that there are.
    OverlapError
        For a record in two clusters.

    Examples
    --------
    >>> import starlings as sl
    >>> clusters = {"cluster_id": ["a-__-1", "a-__-1"], "source_dataset": ["a", "b"], "unique_id": [1, 1]}
    >>> sl.adapters.splink.from_clusters(clusters).at(1.0).to_list() == [{("a", 1), ("b", 1)}]
    True
    """
    names = _Names.of(linker, unique_id, source_dataset)
    table = arrow_table(clusters, "the clusters")
    dataset = names.source_dataset
    named = dataset is not None and (linker is not None or has_column(table, dataset))
    return collection_of_clusters(
        table,
        "the clusters",
        Wanted(names.unique_id, "unique ids", "" if linker is not None else "unique_id"),
        Wanted(cluster, "the cluster of each record", "cluster"),
        Wanted(str(dataset), "datasets") if named else None,
        threshold=threshold,
        default=_DEFAULT,
    )


def truth(linker: Any, labels: str) -> Collection:
    """The true entities that a column of the input tables names, as a collection over all records of a linker.

    Parameters
    ----------
    linker : splink.Linker
    labels : str
        The column, as in ``linker.evaluation.accuracy_analysis_from_labels_column``. A record without a label is an
        entity of its own.

    Raises
    ------
    InvalidArgumentError
        If a table has no such column, with those that it has.
    """
    import pyarrow

    unique_id = _settings(linker).column_info_settings.unique_id_column_name
    parts = []
    for source, records in _inputs(linker):
        keys, of_entity = find_columns(
            records,
            f"the records of {source!r}",
            Wanted(unique_id, "unique ids"),
            Wanted(labels, "the true entity of each record", "labels"),
        )
        parts.append(pyarrow.table({"source": pyarrow.repeat(source, len(keys)), "key": keys, "label": of_entity}))
    table = pyarrow.concat_tables(parts, promote_options="permissive")
    return collection_of_labels(
        table["key"], table["label"], table["source"], threshold=1.0, source=_DEFAULT, what=f"the column {labels!r}"
    )


# ------------------------------------------------------------------------------------------------------------------ out


def to_clusters(
    partition: Partition,
    linker: Any = None,
    *,
    scale: Scale = "probability",
    unique_id: str = _UNIQUE_ID,
    source_dataset: str = _SOURCE_DATASET,
) -> Any:
    """A partition as Splink's own table of clusters.

    Parameters
    ----------
    partition : Partition
    linker : splink.Linker, optional
        Gives the columns of its records to the table, and a place for it in its database.
    scale : {"probability", "weight"}
        What the partition's threshold is; Splink notes it with the table, as a probability.
    unique_id, source_dataset : str
        Without a linker: names for the columns.

    Returns
    -------
    SplinkDataFrame or pyarrow.Table
        With a linker what ``linker.clustering.cluster_pairwise_predictions_at_threshold`` gives: ``cluster_id`` and all
        columns of its records, one row a record. Its functions take it, `compute_graph_metrics` and the dashboards
        for example. Without one ``cluster_id, source_dataset, unique_id``, without the datasets where all records are
        of one source.

    Raises
    ------
    KeyNotFoundError
        If the linker has a record that the partition has not.

    Examples
    --------
    >>> import starlings as sl
    >>> partition = sl.Collection.from_edges([(("b", 1), ("a", 2), 0.9), (("a", 2), ("a", 10), 0.4)]).at(0.5)
    >>> sl.adapters.splink.to_clusters(partition).to_pydict()["cluster_id"]
    ['a-__-2', 'a-__-2', 'a-__-10']
    """
    check_partition(partition)
    if linker is None:
        return _plain_clusters(partition, _Names(unique_id, source_dataset))
    names = _Names.of(linker, unique_id, source_dataset)
    clusters = _joined(linker, _entities(partition, has_sources=names.source_dataset is not None))
    clusters.metadata["threshold_match_probability"] = _probability(partition.threshold, scale)
    return clusters


def _entities(partition: Partition, *, has_sources: bool) -> Any:
    """What Splink calls each record, and its entity. Where it knows no datasets, of several sources the default one."""
    pyarrow = require("pyarrow", "to_clusters()")
    table = partition.to_arrow()
    nodes = key_texts(partition, _SEPARATOR if has_sources else None)
    if has_sources:
        _check_distinct(nodes)
    entities = pyarrow.table({"sl_node": nodes, "sl_entity": table["entity_id"].cast("int64")})
    if has_sources or len(table["source"].unique()) <= 1:
        return entities
    import pyarrow.compute as compute

    return entities.filter(compute.equal(table["source"].cast(pyarrow.string()), _DEFAULT))


def _check_distinct(nodes: Any) -> None:
    """Raise an error if two records have one name: where the separator is a part of a dataset's name and of a key."""
    import pyarrow.compute as compute

    if compute.count_distinct(nodes).as_py() < len(nodes):
        counts = compute.value_counts(nodes)
        name = counts.filter(compute.greater(counts.field("counts"), 1))[0]["values"].as_py()
        raise InvalidArgumentError(
            f"Splink calls two records {name!r}: it joins dataset and unique id by {_SEPARATOR!r}, which is a part of "
            "one of these already; call datasets or ids otherwise"
        )


def _probability(threshold: float, scale: Scale) -> float:
    """A threshold as Splink notes it: a match weight is the logarithm to base 2 of the odds."""
    return threshold if scale == "probability" else float(1.0 / (1.0 + np.exp2(-threshold)))


def _plain_clusters(partition: Partition, names: _Names) -> Any:
    """The table without the columns of records."""
    pyarrow = require("pyarrow", "to_clusters()")
    table = partition.to_arrow()
    several = table["source"].chunk(0).dictionary if table.num_rows else []
    has_sources = len(several) > 1
    is_of_one_kind = not pyarrow.types.is_union(table["key"].type)
    nodes = table["key"] if is_of_one_kind and not has_sources else key_texts(partition, _SEPARATOR)
    members = pyarrow.table({"entity": table["entity_id"], "node": nodes})
    least = members.group_by("entity", use_threads=False).aggregate([("node", "min")])
    clusters: list[tuple[Any, Any]] = [("cluster_id", least["node_min"].take(table["entity_id"]))]
    if has_sources:
        clusters.append((names.source_dataset, table["source"].cast(pyarrow.string())))
    return output_table([*clusters, (names.unique_id, table["key"])])


def _joined(linker: Any, entities: Any) -> Any:
    """The input records of a linker with the least record of their entity, made in its database."""
    from splink.internals.pipeline import CTEPipeline
    from splink.internals.vertically_concatenate import concat_table_column_names

    columns = concat_table_column_names(linker)
    entity, node_id = (_free(name, columns) for name in ("sl_entity", "sl_node_id"))
    records = _with_entities(linker, entities, entity, node_id)
    try:
        _check_all_known(records, entity, node_id)
        pipeline = CTEPipeline([records])
        pipeline.enqueue_sql(
            f"select min({node_id}) over (partition by {entity}) as cluster_id, {', '.join(columns)} "
            f"from {records.templated_name}",
            "__splink__df_clustered_with_input_data",
        )
        return linker._db_api.sql_pipeline_to_splink_dataframe(pipeline)
    finally:
        records.drop_table_from_database_and_remove_from_cache()


def _with_entities(linker: Any, entities: Any, entity: str, node_id: str) -> Any:
    """The input records of a linker with their entity and what Splink calls them, in columns of these names."""
    from splink.internals.pipeline import CTEPipeline
    from splink.internals.vertically_concatenate import enqueue_df_concat

    node = f" || '{_SEPARATOR}' || ".join(
        column.name for column in _settings(linker).column_info_settings.unique_id_input_columns
    )
    registered = linker._db_api.register(entities)
    try:
        pipeline = CTEPipeline([registered])
        enqueue_df_concat(linker, pipeline)
        pipeline.enqueue_sql(
            f"select e.sl_entity as {entity}, {node} as {node_id}, r.* from __splink__df_concat as r "
            f"left join {registered.templated_name} as e on '' || {node} = e.sl_node",
            "__splink__df_records_with_entity",
        )
        return linker._db_api.sql_pipeline_to_splink_dataframe(pipeline)
    finally:
        registered.drop_table_from_database_and_remove_from_cache(force_non_splink_table=True)


def _free(name: str, columns: list[str]) -> str:
    """A name that no column of the records has, made of this one."""
    taken = {column.strip('"`[]').casefold() for column in columns}
    while name in taken:
        name += "_"
    return name


def _check_all_known(records: Any, entity: str, node_id: str) -> None:
    """Raise an error if a record of the linker has no entity."""
    missing = records.query_sql(f"select {node_id} from {{this}} where {entity} is null")
    unknown = missing.as_record_list(limit=1)
    count = len(missing.as_record_list()) if unknown else 0
    missing.drop_table_from_database_and_remove_from_cache()
    if count:
        raise KeyNotFoundError(
            f"{count:,} records of the linker are not in the partition, such as {unknown[0][node_id]!r}; start "
            "with adapters.splink.frame(linker), which has all of them"
        )
