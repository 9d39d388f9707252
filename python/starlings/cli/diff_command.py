"""``starlings diff``: what changes from one cut to another, of one file or of two."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Final

import typer

from starlings.cli.at_command import CutArgument
from starlings.cli.completion import complete_cuts
from starlings.cli.cuts import CutText
from starlings.cli.frame_files import open_frame
from starlings.cli.mistakes import Mistake
from starlings.cli.outputs import Output
from starlings.cli.parameters import argument, option
from starlings.cli.reading_options import FileArgument, Reading
from starlings.cli.record_keys import record_as_json, record_as_text
from starlings.cli.showing import Showing, show_json, show_report
from starlings.diff import Change, PartitionDiff
from starlings.entity import Entities, Entity
from starlings.record_names import record_names

__all__ = ["diff"]

_DIFFERENT: Final = 1
_RECORDS_SHOWN: Final = 6


def diff(
    file: FileArgument,
    before: CutArgument,
    after: Annotated[
        str | None,
        argument(
            metavar="CUT",
            autocompletion=complete_cuts,
            help="The cut after; with --after the same as before if it is left out.",
        ),
    ] = None,
    *,
    after_file: Annotated[
        str | None, option("--after", metavar="FILE", help="The file of the cut after, if it is another.")
    ] = None,
    examples: Annotated[int, typer.Option("--examples", "-n", min=0, help="How many changes to show.")] = 5,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit code 1 if anything differs.")] = False,
    output: Output,
    reading: Reading,
    showing: Showing,
) -> int:
    """Show which entities stay, split, merge or exchange records from one cut to another.

    With --output: one row for each entity before and each after that share records.

    starlings diff old.starlings model@0.8 --after new.starlings
    """
    output.check(showing, file, after_file, *reading.files)
    if after is None and after_file is None:
        raise Mistake("what is it compared with? Name a second cut, or another file with --after")
    frame = open_frame(file, reading, showing.bar)
    other = frame if after_file is None else open_frame(after_file, reading, showing.bar)
    cuts = CutText.of(before, frame), CutText.of(before if after is None else after, other)
    changes = cuts[0].partition(frame).diff(cuts[1].partition(other))
    files = file, file if after_file is None else after_file
    differs = bool(len(changes) or changes.num_records_added or changes.num_records_removed)
    output.write(changes, showing)
    if showing.json:
        _show_json(files, cuts, changes, examples, differs)
    elif not output.is_data:
        _show(cuts, changes, examples)
    return _DIFFERENT if exit_code and differs else 0


def _show(cuts: tuple[CutText, CutText], changes: PartitionDiff, examples: int) -> None:
    """Counts, then examples."""
    sides = zip(cuts, (changes.before, changes.after), strict=True)
    before, after = (f"{cut.name}@{side.threshold:g}: {side.num_entities:,} entities" for cut, side in sides)
    print(f"from {before}\nto   {after}")
    if changes.num_records_added or changes.num_records_removed:
        print(f"records: {changes.num_records_added:,} added, {changes.num_records_removed:,} removed")
    print()
    show_report(changes.summary)
    for change in islice(changes, examples):
        print(f"\n{change.kind}, {change.num_records:,} records")
        _print_side("-", change.before)
        _print_side("+", change.after)
    more = len(changes) - examples
    if examples and more > 0:
        print(f"\n... {more:,} more changes; --examples shows more of them, --output writes all")


def _print_side(sign: str, entities: Entities) -> None:
    """Entities, one a line; of many records and of many entities the first."""
    for entity in entities[:_RECORDS_SHOWN]:
        names = map(record_as_text, _members(entity, _RECORDS_SHOWN))
        more = f", ... {entity.size - _RECORDS_SHOWN:,} more" if entity.size > _RECORDS_SHOWN else ""
        print(f"  {sign} {', '.join(names)}{more}")
    if len(entities) > _RECORDS_SHOWN:
        print(f"  {sign} ... {len(entities) - _RECORDS_SHOWN:,} more entities")


def _members(entity: Entity, most: int | None = None) -> list[Any]:
    """Records of an entity as (source, key), in the order of the data."""
    return record_names(entity._context, entity.records[:most])


def _show_json(
    files: tuple[str, str], cuts: tuple[CutText, CutText], changes: PartitionDiff, examples: int, differs: bool
) -> None:
    """The same for programs; examples with all their records."""
    sides = [
        {
            "file": name,
            "collection": cut.name,
            "threshold": side.threshold,
            "num_records": side.num_records,
            "num_entities": side.num_entities,
        }
        for name, cut, side in zip(files, cuts, (changes.before, changes.after), strict=True)
    ]
    show_json(
        {
            "command": "diff",
            "before": sides[0],
            "after": sides[1],
            "records_added": changes.num_records_added,
            "records_removed": changes.num_records_removed,
            "differs": differs,
            "summary": changes.summary,
            "examples": [_example(change) for change in islice(changes, examples)],
        }
    )


def _example(change: Change) -> dict[str, Any]:
    """One change, for programs."""
    before, after = (
        [[record_as_json(name) for name in _members(entity)] for entity in side]
        for side in (change.before, change.after)
    )
    return {"kind": change.kind, "num_records": change.num_records, "before": before, "after": after}
