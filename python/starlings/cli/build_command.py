"""``starlings build``: from files of scored pairs to a native file."""

from __future__ import annotations

from typing import Annotated

from starlings.cli.frame_files import Inputs
from starlings.cli.input_paths import check_target
from starlings.cli.mistakes import Mistake
from starlings.cli.native_files import load_frame, save_frame
from starlings.cli.parameters import argument, option
from starlings.cli.reading_options import Reading
from starlings.cli.showing import Showing, say, show_json
from starlings.cli.table_files import input_files
from starlings.frame import EntityFrame

__all__ = ["build"]


def build(
    files: Annotated[
        list[str] | None,
        argument(
            metavar="FILE",
            help="Scored pairs in Parquet, Arrow or CSV: paths, patterns, - for standard input. All make one "
            "collection.",
        ),
    ] = None,
    *,
    output: Annotated[
        str | None, option("--output", "-o", metavar="FILE", help="The file to make, in place of one that is there.")
    ] = None,
    into: Annotated[
        str | None, option("--into", metavar="FILE", help="A file to add to; without --output it is replaced.")
    ] = None,
    reading: Reading,
    showing: Showing,
) -> None:
    """Make a file of collections from scored pairs, or add one to it.

    starlings build pairs.parquet --records crm=crm.csv --truth labels.csv -o model.starlings
    """
    target = into if output is None else output
    if target is None:
        raise Mistake("where to? Name the file to make with --output, or one to add to with --into")
    if target == "-":
        raise Mistake("a file of Starlings is written to a file, not to standard output; name one with --output")
    if not (files or reading.records or reading.named_labels()):
        raise Mistake("nothing to read: name files of pairs, or give --records, --truth or --labels")
    check_target(target, *(files or []), *reading.files)
    inputs = Inputs.of(input_files(files or [], reading.format, reading.delimiter), reading)
    frame = EntityFrame() if into is None else load_frame(input_files([into])[0], showing.bar)
    _check_names(frame, inputs)
    inputs.frame(frame, showing.bar)
    save_frame(frame, target, showing.bar)
    names = frame.collection_names()
    if showing.json:
        show_json(
            {
                "command": "build",
                "file": target,
                "num_records": frame.num_records,
                "sources": frame.sources,
                "collections": names,
            }
        )
    else:
        say(f"wrote {target}: {frame.num_records:,} records, collections {', '.join(names) or 'none'}", showing)


def _check_names(frame: EntityFrame, inputs: Inputs) -> None:
    """Raise an error, before anything is read, for a collection that is there already."""
    taken = set(frame.collection_names())
    names = [inputs.reading.name] if inputs.pairs else []
    names += [membership.name for membership in inputs.memberships]
    for name in names:
        if name in taken:
            raise Mistake(
                f"a collection {name!r} is there already; --name and --labels NAME=FILE give other names",
                kind="DuplicateCollectionError",
            )
        taken.add(name)
