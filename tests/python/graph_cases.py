"""Collections and frames of the random graphs of `starlings.testing`, whose records are 0, 1, ... in order."""

from __future__ import annotations

import starlings as sl
from starlings.testing import Graph


def built(graph: Graph, exact: bool = False) -> sl.Collection:
    """The collection of a graph, over all its records."""
    return sl.Collection.from_edges(graph.edges, records=range(graph.num_records), quantise=None if exact else 6)


def frame_of(graph: Graph, truth: list[int]) -> sl.EntityFrame:
    """A frame with the collections "model", of a graph, and "truth", of a label for each record."""
    frame = sl.EntityFrame()
    frame.add_collection_from_labels("truth", range(graph.num_records), truth)
    frame.add_collection_from_edges("model", graph.edges)
    return frame
