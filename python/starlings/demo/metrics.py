"""Which metrics the demo computes, which thresholds it singles out, and what they are called for people."""

__all__ = ["BEST_BY", "CHOICES", "DEFAULT_THRESHOLDS", "METRICS", "TITLES"]

#: Every metric that can be had at all thresholds in one pass.
METRICS = (
    "precision",
    "recall",
    "f1",
    "rand",
    "ari",
    "fowlkes_mallows",
    "jaccard",
    "mutual_information",
    "nmi",
    "homogeneity",
    "completeness",
    "v_measure",
    "variation_of_information",
    "bcubed_precision",
    "bcubed_recall",
    "bcubed_f1",
    "cluster_precision",
    "cluster_recall",
    "cluster_f1",
    "entity_count",
    "entropy",
    "largest_entity",
    "mean_size",
    "singletons",
    "pair_count",
)

#: Metrics whose best cuts are always shown.
BEST_BY = ("f1", "bcubed_f1", "cluster_f1")

#: Metrics that can decide on the cut: those that weigh both kinds of error, highest is best.
CHOICES = (*BEST_BY, "rand", "ari", "fowlkes_mallows", "jaccard", "nmi", "v_measure")

#: Thresholds that are often taken without looking.
DEFAULT_THRESHOLDS = (0.95, 0.5)

TITLES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "bcubed_f1": "B-cubed F1",
    "cluster_f1": "exact entities F1",
}
