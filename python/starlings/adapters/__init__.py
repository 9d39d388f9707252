"""Other packages' formats, in and out: scored pairs, clusters, membership vectors.

``splink``
    predictions, input tables, labels and cluster tables of Splink
``er_evaluation``
    membership vectors of ER-Evaluation
``dedupe``
    scores, links, search results and clusters of dedupe
``zingg``
    match output, link output and labelled pairs of Zingg
``matchbox``
    edges, clusters and resolved keys of Matchbox

None needs the package that it is named after: they know its tables, not its code. What goes in is anything that has an
Arrow stream, or the package's own objects; what comes out has the package's own columns and types. Where a function of
the package has to be called, it is one of the objects that were given. Tables go through pyarrow, the extra ``arrow``.
"""

from starlings.adapters import dedupe, er_evaluation, matchbox, splink, zingg

__all__ = ["dedupe", "er_evaluation", "matchbox", "splink", "zingg"]
