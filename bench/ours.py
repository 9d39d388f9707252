"""Starlings itself, through its Python package."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

import frame_memory
from case import CUT, Case, Data, Facts, Step

METRICS = [
    *("precision", "recall", "f1", "f_beta(0.5)", "rand", "ari", "fowlkes_mallows", "jaccard"),
    *("mutual_information", "nmi", "homogeneity", "completeness", "v_measure", "variation_of_information"),
    *("bcubed_precision", "bcubed_recall", "bcubed_f1", "cluster_precision", "cluster_recall", "cluster_f1"),
    *("entity_count", "entropy", "largest_entity", "mean_size", "singletons", "pair_count"),
]
FRESH_CUTS = [round(0.30 + 0.03 * i, 2) for i in range(18)] + [CUT]  # more than the cache holds, no two alike


def collection_facts(data: Data, collection: Any) -> Facts:
    """Facts over all records of the data: those that no edge names are singletons at any threshold."""
    unnamed = data.size.records - collection.num_records
    return {
        "entities": collection.at(CUT).num_entities + unnamed,
        "merges": collection.num_records - collection.at(0.0).num_entities,
    }


def stored_facts(data: Data, collection: Any) -> Facts:
    """The same, and what the stored hierarchy holds a record: order and join, then with its distinct thresholds."""
    thresholds = 8 * len(collection.thresholds)
    return {
        **collection_facts(data, collection),
        "bytes_per_record": (collection.nbytes - thresholds) / collection.num_records,
        "bytes_per_record_with_thresholds": collection.nbytes / collection.num_records,
    }


def build_integers(data: Data) -> Step:
    import starlings as sl

    edges = (data.left, data.right, data.score)
    return Step([lambda: sl.Collection.from_edges(edges)], partial(collection_facts, data))


def build_with_records(data: Data) -> Step:
    import starlings as sl

    edges, records = (data.left, data.right, data.score), np.arange(data.size.records)
    return Step([lambda: sl.Collection.from_edges(edges, records=records)], partial(stored_facts, data))


def build_strings(data: Data, *, kind: pa.DataType) -> Step:
    import starlings as sl

    edges = data.string_edges(kind)

    def facts(collection: Any) -> Facts:
        return {"keys": collection.num_records, **collection_facts(data, collection)}

    return Step([lambda: sl.Collection.from_edges(edges)], facts)


def built(data: Data) -> Any:
    import starlings as sl

    return sl.Collection.from_edges((data.left, data.right, data.score), records=np.arange(data.size.records))


def curve(data: Data, *, metrics: list[str] | None) -> Step:
    """Every distinct threshold of the edges against the true clusters."""
    import starlings as sl

    frame = sl.EntityFrame()
    frame.add_collection("edges", built(data))
    frame.add_collection("truth", sl.Collection.from_labels(np.arange(data.size.records), data.truth))
    expressions = [sl.col("edges").sweep(), sl.col("truth").at(1.0).reference()]

    def facts(report: Any) -> Facts:
        columns = report.to_arrow()
        threshold = columns["threshold"].to_numpy()
        row = int(np.argmin(np.where(threshold >= CUT, threshold, np.inf)))
        wanted = [name for name in columns.column_names if name in METRICS]
        return {"rows": len(report), **{name: columns[name][row].as_py() for name in wanted}}

    return Step([lambda: frame.analyse(*expressions, metrics=metrics)], facts)


def cut(data: Data, *, part: str) -> Step:
    """One attribute of a partition, at one fresh threshold after the other."""
    collection = built(data)

    def facts(_: Any) -> Facts:
        return {"entities": collection.at(CUT).num_entities}

    def at(threshold: float) -> Any:
        return getattr(collection.at(threshold), part)

    return Step([partial(at, threshold) for threshold in FRESH_CUTS], facts)


CASES = [
    Case("ours-ints", "Starlings: whole hierarchy, integer keys", build_integers),
    Case("ours-records", "the same, records= given", build_with_records),
    Case("ours-strings", "the same, Arrow string keys", partial(build_strings, kind=pa.string())),
    Case("ours-large-strings", "the same, Arrow large_string keys", partial(build_strings, kind=pa.large_string())),
    Case("ours-curve", "Starlings: every metric at every threshold", partial(curve, metrics=METRICS)),
    Case("ours-curve-default", "Starlings: default metrics at every threshold", partial(curve, metrics=None)),
    Case("ours-count", "Starlings: uncached cut, entities counted", partial(cut, part="num_entities")),
    Case("ours-labels", "Starlings: uncached cut, labels", partial(cut, part="labels")),
    Case("ours-sizes", "Starlings: uncached cut, entity sizes", partial(cut, part="sizes")),
    *frame_memory.CASES,
]
