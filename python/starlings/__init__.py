"""Starlings: the whole hierarchy of entities that scored record pairs imply.

A linkage model scores pairs of records. At a threshold the entities are what the pairs of that score or more connect;
lowering the threshold only merges them. Starlings keeps every one of those partitions at once, cuts the hierarchy at
any threshold and measures every cut against a reference in one pass.

>>> import starlings as sl
>>> frame = sl.EntityFrame()
>>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7)])
>>> frame.add_collection_from_entities("truth", [{"a", "b"}, {"c"}, {"x", "y"}])
>>> curve = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0))
>>> curve.best("f1")["threshold"]
0.7
>>> frame["model"].at(0.7).num_entities
3
"""

from starlings import _core, exceptions

_core.set_exceptions(exceptions)

from starlings import adapters  # noqa: E402
from starlings._typing import EdgesLike, KeyLike, KeysLike, KeyValue, Progress, RecordName, RecordsLike  # noqa: E402
from starlings.batches import BatchProcessor  # noqa: E402
from starlings.collection import Collection  # noqa: E402
from starlings.comparison_matrix import ComparisonMatrix  # noqa: E402
from starlings.constraints import Constraints  # noqa: E402
from starlings.diff import Change, Changes, PartitionDiff  # noqa: E402
from starlings.edge_options import EdgeOptions  # noqa: E402
from starlings.edges import Edges, Explanation  # noqa: E402
from starlings.entity import Entities, Entity  # noqa: E402
from starlings.exceptions import (  # noqa: E402
    CapacityError,
    CollectionNotFoundError,
    ColumnNotFoundError,
    CorruptFileError,
    DuplicateCollectionError,
    DuplicateKeyError,
    InvalidArgumentError,
    InvalidKeyError,
    InvalidScoreError,
    InvalidThresholdError,
    KeyNotFoundError,
    MissingDependencyError,
    OutOfMemoryError,
    OverlapError,
    PathIsFolderError,
    PathNotFoundError,
    PathPermissionError,
    StarlingsError,
    SystemCallError,
    UnknownMetricError,
)
from starlings.expressions import Cut, Expression, Sweep, col  # noqa: E402
from starlings.frame import Assimilation, EntityFrame  # noqa: E402
from starlings.key import Key  # noqa: E402
from starlings.lazy_metrics import LazyMetrics  # noqa: E402
from starlings.lineage import Lineage, LineageStep  # noqa: E402
from starlings.merge_events import CriticalMerges, MergeEvent, MergeEvents  # noqa: E402
from starlings.metrics import (  # noqa: E402
    Metric,
    Metrics,
    ari,
    bcubed_f1,
    bcubed_precision,
    bcubed_recall,
    cluster_f1,
    cluster_precision,
    cluster_recall,
    completeness,
    entity_count,
    entity_stability,
    entropy,
    f1,
    f_beta,
    fowlkes_mallows,
    homogeneity,
    inverse_purity,
    jaccard,
    largest_entity,
    mean_size,
    mutual_information,
    nmi,
    pair_count,
    precision,
    purity,
    rand,
    recall,
    report,
    singletons,
    threshold_sensitivity,
    v_measure,
    variation_of_information,
)
from starlings.monitoring import ComputationStats, FrameMetrics  # noqa: E402
from starlings.native_file import load  # noqa: E402
from starlings.operations import EntityValues, Ops, fingerprint_similarity  # noqa: E402
from starlings.partition import Partition  # noqa: E402
from starlings.profile import PerformanceProfile  # noqa: E402
from starlings.records import Records  # noqa: E402
from starlings.relations import Relation  # noqa: E402
from starlings.reports import Report  # noqa: E402
from starlings.threads import num_threads, set_num_threads  # noqa: E402

__version__ = _core.version()

from_records = EntityFrame.from_records

__all__ = [
    "Assimilation",
    "BatchProcessor",
    "CapacityError",
    "Change",
    "Changes",
    "Collection",
    "CollectionNotFoundError",
    "ColumnNotFoundError",
    "ComparisonMatrix",
    "ComputationStats",
    "Constraints",
    "CorruptFileError",
    "CriticalMerges",
    "Cut",
    "DuplicateCollectionError",
    "DuplicateKeyError",
    "EdgeOptions",
    "Edges",
    "EdgesLike",
    "Entities",
    "Entity",
    "EntityFrame",
    "EntityValues",
    "Explanation",
    "Expression",
    "FrameMetrics",
    "InvalidArgumentError",
    "InvalidKeyError",
    "InvalidScoreError",
    "InvalidThresholdError",
    "Key",
    "KeyLike",
    "KeyNotFoundError",
    "KeyValue",
    "KeysLike",
    "LazyMetrics",
    "Lineage",
    "LineageStep",
    "MergeEvent",
    "MergeEvents",
    "Metric",
    "Metrics",
    "MissingDependencyError",
    "Ops",
    "OutOfMemoryError",
    "OverlapError",
    "Partition",
    "PartitionDiff",
    "PathIsFolderError",
    "PathNotFoundError",
    "PathPermissionError",
    "PerformanceProfile",
    "Progress",
    "RecordName",
    "Records",
    "RecordsLike",
    "Relation",
    "Report",
    "StarlingsError",
    "Sweep",
    "SystemCallError",
    "UnknownMetricError",
    "adapters",
    "ari",
    "bcubed_f1",
    "bcubed_precision",
    "bcubed_recall",
    "cluster_f1",
    "cluster_precision",
    "cluster_recall",
    "col",
    "completeness",
    "entity_count",
    "entity_stability",
    "entropy",
    "f1",
    "f_beta",
    "fingerprint_similarity",
    "fowlkes_mallows",
    "from_records",
    "homogeneity",
    "inverse_purity",
    "jaccard",
    "largest_entity",
    "load",
    "mean_size",
    "mutual_information",
    "nmi",
    "num_threads",
    "pair_count",
    "precision",
    "purity",
    "rand",
    "recall",
    "report",
    "set_num_threads",
    "singletons",
    "threshold_sensitivity",
    "v_measure",
    "variation_of_information",
]
