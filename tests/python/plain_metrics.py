"""Every metric by its definition, over two lists of labels: slow, and simple enough to be obviously right.

Nothing here is shared with the engine: pairs are listed one by one, entropies come from counts, B-cubed is an average
over records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from math import isclose, log, sqrt

Labels = Sequence[Hashable]
Cut = Callable[[float], Labels]  # the partition at a threshold


def metric(name: str, labels: Labels, truth: Labels | None, beta: float = 1.0) -> float:
    """The metric called `name` of a partition against a reference (None for metrics of one partition)."""
    if name == "f_beta":
        return f_beta(labels, truth, beta)
    if name in ALONE:
        return float(ALONE[name](labels))
    return float(COMPARED[name](labels, truth))


def close(value: float, expected: float) -> bool:
    """Equal but for rounding."""
    return isclose(value, expected, rel_tol=1e-9, abs_tol=1e-9)


def pairs(labels: Labels) -> set[tuple[int, int]]:
    """All pairs of records with one label."""
    return {(i, j) for i, j in combinations(range(len(labels)), 2) if labels[i] == labels[j]}


def confusion(labels: Labels, truth: Labels) -> tuple[int, int, int, int]:
    """True positive, false positive, false negative and true negative pairs."""
    judged, true = pairs(labels), pairs(truth)
    tp, fp, fn = len(judged & true), len(judged - true), len(true - judged)
    return tp, fp, fn, len(labels) * (len(labels) - 1) // 2 - tp - fp - fn


def clusters(labels: Labels) -> set[frozenset[int]]:
    """The entities, as sets of records."""
    return {frozenset(i for i, other in enumerate(labels) if other == label) for label in set(labels)}


def entropy(labels: Labels) -> float:
    """In nats, over the sizes of the entities."""
    n = len(labels)
    return -sum(count / n * log(count / n) for count in Counter(labels).values()) + 0.0


def mutual_information(labels: Labels, truth: Labels) -> float:
    return max(0.0, entropy(labels) + entropy(truth) - entropy(list(zip(labels, truth, strict=True))))


def ratio(numerator: float, denominator: float, empty: float = 1.0) -> float:
    return numerator / denominator if denominator else empty


def precision(labels: Labels, truth: Labels) -> float:
    tp, fp, _, _ = confusion(labels, truth)
    return ratio(tp, tp + fp)


def recall(labels: Labels, truth: Labels) -> float:
    tp, _, fn, _ = confusion(labels, truth)
    return ratio(tp, tp + fn)


def f_beta(labels: Labels, truth: Labels, beta: float) -> float:
    tp, fp, fn, _ = confusion(labels, truth)
    return ratio((1 + beta**2) * tp, (1 + beta**2) * tp + beta**2 * fn + fp)


def rand(labels: Labels, truth: Labels) -> float:
    tp, fp, fn, tn = confusion(labels, truth)
    return ratio(tp + tn, tp + fp + fn + tn)


def ari(labels: Labels, truth: Labels) -> float:
    tp, fp, fn, tn = confusion(labels, truth)
    if fp == 0 and fn == 0:
        return 1.0
    return 2.0 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))


def fowlkes_mallows(labels: Labels, truth: Labels) -> float:
    """As scikit-learn: 0 without a true positive pair, even where there are no pairs at all."""
    return 0.0 if not confusion(labels, truth)[0] else sqrt(precision(labels, truth) * recall(labels, truth))


def jaccard(labels: Labels, truth: Labels) -> float:
    tp, fp, fn, _ = confusion(labels, truth)
    return ratio(tp, tp + fp + fn)


def nmi(labels: Labels, truth: Labels) -> float:
    return ratio(2 * mutual_information(labels, truth), entropy(labels) + entropy(truth))


def homogeneity(labels: Labels, truth: Labels) -> float:
    return ratio(mutual_information(labels, truth), entropy(truth))


def completeness(labels: Labels, truth: Labels) -> float:
    return ratio(mutual_information(labels, truth), entropy(labels))


def harmonic(a: float, b: float) -> float:
    return ratio(2 * a * b, a + b, empty=0.0)


def v_measure(labels: Labels, truth: Labels) -> float:
    return harmonic(homogeneity(labels, truth), completeness(labels, truth))


def variation_of_information(labels: Labels, truth: Labels) -> float:
    joint = entropy(list(zip(labels, truth, strict=True)))
    return max(0.0, 2 * joint - entropy(labels) - entropy(truth))


def bcubed_precision(labels: Labels, truth: Labels) -> float:
    """Mean over records: of those in its entity, the share that belongs with it."""
    shares = []
    for mine, true in zip(labels, truth, strict=True):
        together = [other for label, other in zip(labels, truth, strict=True) if label == mine]
        shares.append(together.count(true) / len(together))
    return sum(shares) / len(shares) if shares else 1.0


def bcubed_recall(labels: Labels, truth: Labels) -> float:
    return bcubed_precision(truth, labels)


def bcubed_f1(labels: Labels, truth: Labels) -> float:
    return harmonic(bcubed_precision(labels, truth), bcubed_recall(labels, truth))


def cluster_precision(labels: Labels, truth: Labels) -> float:
    judged, true = clusters(labels), clusters(truth)
    return ratio(len(judged & true), len(judged))


def cluster_recall(labels: Labels, truth: Labels) -> float:
    return cluster_precision(truth, labels)


def cluster_f1(labels: Labels, truth: Labels) -> float:
    judged, true = clusters(labels), clusters(truth)
    return ratio(2 * len(judged & true), len(judged) + len(true))


def purity(labels: Labels, truth: Labels) -> float:
    """The share of records that belong to the commonest true entity of their entity."""
    best = [max(Counter(truth[i] for i in members).values()) for members in clusters(labels)]
    return ratio(sum(best), len(labels))


def inverse_purity(labels: Labels, truth: Labels) -> float:
    return purity(truth, labels)


def entities_of_records(labels: Labels) -> list[frozenset[int]]:
    """The entity of each record, as a set of records."""
    return [frozenset(i for i, other in enumerate(labels) if other == label) for label in labels]


def entity_stability(cut: Cut, levels: Sequence[float], threshold: float) -> float:
    """Mean over records of the width of the thresholds at which the record's entity is an entity.

    A cut holds from above one of `levels` (where anything merges) up to the next.
    """
    points = sorted({0.0, 1.0, *levels})
    widths = []
    for record, entity in enumerate(entities_of_records(cut(threshold))):
        alive = [entities_of_records(cut(above))[record] == entity for above in points[1:]]
        widths.append(sum(b - a for a, b, lives in zip(points, points[1:], alive, strict=False) if lives))
    return sum(widths) / len(widths) if widths else 1.0


def threshold_sensitivity(cut: Cut, threshold: float, shift: float) -> float:
    """The share of records that are with others a shift above or a shift below the threshold."""
    here, above, below = (
        entities_of_records(cut(at)) for at in (threshold, min(1.0, threshold + shift), max(0.0, threshold - shift))
    )
    changed = [not a == b == c for a, b, c in zip(here, above, below, strict=True)]
    return sum(changed) / len(changed) if changed else 0.0


COMPARED = {
    function.__name__: function
    for function in (
        precision,
        recall,
        rand,
        ari,
        fowlkes_mallows,
        jaccard,
        mutual_information,
        nmi,
        homogeneity,
        completeness,
        v_measure,
        variation_of_information,
        bcubed_precision,
        bcubed_recall,
        bcubed_f1,
        cluster_precision,
        cluster_recall,
        cluster_f1,
        purity,
        inverse_purity,
    )
} | {"f1": lambda labels, truth: f_beta(labels, truth, 1.0)}

ALONE = {
    "entity_count": lambda labels: len(set(labels)),
    "entropy": lambda labels: entropy(labels) if labels else 0.0,
    "largest_entity": lambda labels: max(Counter(labels).values(), default=0),
    "mean_size": lambda labels: ratio(len(labels), len(set(labels)), empty=0.0),
    "singletons": lambda labels: sum(count == 1 for count in Counter(labels).values()),
    "pair_count": lambda labels: len(pairs(labels)),
}
