"""Where a command's table goes: to people on standard output, or as data to wherever it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from starlings.cli.input_paths import check_target
from starlings.cli.mistakes import Mistake
from starlings.cli.parameters import option
from starlings.cli.showing import Showing, say
from starlings.cli.written_tables import TableFormat, format_of, write_table

__all__ = ["Output"]


@dataclass(frozen=True)
class Output:
    """Where a table goes, and as what."""

    output: Annotated[
        str | None,
        option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the table to a file, in place of one that is there: CSV, Parquet, Arrow or JSON lines by its "
            "ending. - is standard output.",
        ),
    ] = None
    form: Annotated[
        TableFormat | None,
        option("--as", help="What to write, whatever the ending; on standard output too."),
    ] = None

    @property
    def is_data(self) -> bool:
        """Whether the table goes to programs rather than to people."""
        return self.output is not None or self.form is not None

    @property
    def is_file(self) -> bool:
        """Whether it goes to a file."""
        return self.output not in (None, "-")

    @property
    def format(self) -> TableFormat:
        """What is written."""
        return format_of(self.output, self.form)

    def check(self, showing: Showing, *inputs: str | None) -> None:
        """Raise an error, before any work is done, if what to write cannot be told, or would harm something."""
        if not self.is_data:
            return
        if self.output is not None and self.is_file:
            check_target(self.output, *inputs)
        _ = self.format
        if showing.json and not self.is_file:
            raise Mistake("--json and a table cannot both go to standard output; name a file with --output")

    def write(self, data: object, showing: Showing) -> None:
        """Write the table, if that was asked for."""
        if not self.is_data:
            return
        write_table(data, self.output, self.format)
        if self.is_file:
            say(f"wrote {self.output}", showing)
