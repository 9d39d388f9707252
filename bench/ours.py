"""Starlings itself, through its Python package."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

import frame_memory
import native_file
from case import COLLECTIONS, CUT, GRID_CUTS, GRID_SAMPLE, Case, Data, Facts, Step, Variant, digest_facts

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
        row = row_at_cut(columns["threshold"].to_numpy())
        wanted = [name for name in columns.column_names if name in METRICS]
        return {"rows": len(report), **{name: columns[name][row].as_py() for name in wanted}}

    return Step([lambda: frame.analyse(*expressions, metrics=metrics)], facts)


def compare_many(data: Data) -> Step:
    """Many collections against the true clusters, each at every distinct threshold."""
    import starlings as sl

    frame = sl.EntityFrame()
    frame.add_collection("truth", sl.Collection.from_labels(np.arange(data.size.records), data.truth))
    for number in range(COLLECTIONS):
        frame.add_collection(f"model {number}", built(Variant(data.size, number)))

    def facts(report: Any) -> Facts:
        names, thresholds = report["collection"], report["threshold"]
        rows = [int(np.argmin(np.where((names == name) & (thresholds >= CUT), thresholds, np.inf))) for name in frame]
        return {f"ari_{number}": float(report["ari"][row]) for number, row in enumerate(rows[1:])}

    return Step([lambda: frame.compare_all("truth")], facts)


def sweep_grid(data: Data) -> Step:
    """One collection at a hundred thresholds against another one at a hundred."""
    import starlings as sl

    frame = sl.EntityFrame()
    for number, name in enumerate(("one", "other")):
        frame.add_collection(name, built(Variant(data.size, number)))
    step = 1 / GRID_CUTS
    expressions = [sl.col(name).sweep(step, 1.0, step) for name in ("one", "other")]

    def facts(report: Any) -> Facts:
        scores = report["ari"].reshape(GRID_CUTS, GRID_CUTS)
        at = [(round(t * GRID_CUTS) - 1, round(u * GRID_CUTS) - 1) for t, u in GRID_SAMPLE]
        return {f"grid_ari_{i}_{j}": float(scores[i, j]) for i, j in at}

    return Step([lambda: frame.analyse(*expressions)], facts)


def row_at_cut(thresholds: Any) -> int:
    """The row of a curve whose partition is that at the cut."""
    return int(np.argmin(np.where(thresholds >= CUT, thresholds, np.inf)))


def estimate(data: Data) -> Step:
    """Every distinct threshold of the edges, estimated from a sample of the true clusters."""
    import starlings as sl

    frame = sl.EntityFrame()
    frame.add_collection("edges", built(data))
    sample = data.sample

    def facts(report: Any) -> Facts:
        row = row_at_cut(report["threshold"])
        return {f"{name}_se": float(report[f"{name}_se"][row]) for name in ("precision", "recall")}

    return Step([lambda: frame.estimate(sl.col("edges").sweep(), sample)], facts)


def labelled_partition(data: Data) -> Any:
    """The entities to hash."""
    import starlings as sl

    labels = data.entity_labels
    return sl.Collection.from_labels(np.arange(len(labels)), labels).at(1.0)


def hash_dict(data: Data) -> Step:
    import starlings as sl

    partition = labelled_partition(data)
    return Step(
        [lambda: partition.map(sl.Ops.hash.sha256)],
        lambda digests: digest_facts(bytes.fromhex("".join(digests.values()))),
    )


def hash_table(data: Data) -> Step:
    import starlings as sl

    partition = labelled_partition(data)
    return Step(
        [lambda: partition.map_arrow(sl.Ops.hash.sha256)],
        lambda values: digest_facts(b"".join(values.to_arrow()["value"].to_pylist())),
    )


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
    Case("ours-many", f"Starlings: {COLLECTIONS} collections, 5 metrics at every threshold", compare_many, slow=True),
    Case("ours-grid", f"Starlings: {GRID_CUTS} cuts x {GRID_CUTS} cuts, 5 metrics", sweep_grid, slow=True),
    Case("ours-estimate", "Starlings: estimates at every threshold, 200 true clusters", estimate),
    Case("ours-hash", "Starlings: SHA-256 of every entity, a dict", hash_dict),
    Case("ours-hash-table", "the same, an Arrow table", hash_table),
    Case("ours-count", "Starlings: uncached cut, entities counted", partial(cut, part="num_entities")),
    Case("ours-labels", "Starlings: uncached cut, labels", partial(cut, part="labels")),
    Case("ours-sizes", "Starlings: uncached cut, entity sizes", partial(cut, part="sizes")),
    *frame_memory.CASES,
    *native_file.OURS,
]
