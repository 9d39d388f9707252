"""``starlings explain``: why two records are together."""

from __future__ import annotations

from typing import Annotated

from starlings._typing import RecordName
from starlings.cli.completion import complete_collections
from starlings.cli.cuts import only_collection
from starlings.cli.frame_files import open_frame
from starlings.cli.mistakes import Mistake
from starlings.cli.parameters import argument, option
from starlings.cli.reading_options import FileArgument, Reading
from starlings.cli.record_keys import find_named, record_as_json, record_as_text
from starlings.cli.showing import Showing, number, show_json, show_table
from starlings.collection import Collection
from starlings.edges import Explanation

__all__ = ["explain"]

_HELP = "A record: its key, source:key, or source:int:5 and source:str:5 where both are there."


def explain(
    file: FileArgument,
    a: Annotated[str, argument(metavar="RECORD", help=_HELP)],
    b: Annotated[str, argument(metavar="RECORD", help="The other record.")],
    *,
    collection: Annotated[
        str | None,
        option(
            "--collection", "-c", autocompletion=complete_collections, help="Which collection, if there are several."
        ),
    ] = None,
    within: Annotated[str | None, option("--in", metavar="SOURCE", help="The source of both records.")] = None,
    reading: Reading,
    showing: Showing,
) -> None:
    """Show the chain of pairs that joins two records at the highest threshold.

    starlings explain model.starlings crm:17 shop:A4 --collection model
    """
    frame = open_frame(file, reading, showing.bar)
    name = collection if collection is not None else only_collection(frame, "the command", "--collection names one")
    view = frame[name]
    ends = [find_named(frame, text, within) for text in (a, b)]
    _check_kept(view, name)
    explanation = view.explain(*ends)
    if showing.json:
        _show_json(file, name, ends, explanation)
    elif explanation is None:
        print(f"{record_as_text(ends[0])} and {record_as_text(ends[1])} are together at no threshold of {name}")
    else:
        _show(name, ends, explanation)


def _check_kept(view: Collection, name: str) -> None:
    """Raise an error if the collection cannot explain anything."""
    if view._state.hierarchy.kept == "nothing":
        raise Mistake(
            f"the collection {name!r} kept no pairs that could explain anything: starlings build keeps them, and in "
            "Python keep_edges=True",
            kind="InvalidArgumentError",
        )


def _show(name: str, ends: list[RecordName], explanation: Explanation) -> None:
    """The chain, a link a line."""
    first, last = map(record_as_text, ends)
    print(f"{first} and {last} are together in {name} from {number(explanation.threshold)} down")
    if not len(explanation):
        return
    rows = [[record_as_text(left), record_as_text(right), number(score)] for left, right, score in explanation.edges]
    show_table(["record", "next", "score"], rows, len(rows), ["record", "next"])


def _show_json(file: str, name: str, ends: list[RecordName], explanation: Explanation | None) -> None:
    """The chain, for programs."""
    links = [] if explanation is None else explanation.edges
    show_json(
        {
            "command": "explain",
            "file": file,
            "collection": name,
            "left": record_as_json(ends[0]),
            "right": record_as_json(ends[1]),
            "together": explanation is not None,
            "threshold": None if explanation is None else explanation.threshold,
            "links": [
                {"left": record_as_json(left), "right": record_as_json(right), "score": score}
                for left, right, score in links
            ],
        }
    )
