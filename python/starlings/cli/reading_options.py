"""The options that say how files are read: the same for every command, whatever it asks of the collections."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from starlings.cli.mistakes import Mistake
from starlings.cli.parameters import argument, option
from starlings.cli.table_files import FileFormat
from starlings.cli.text_keys import KeyKind
from starlings.dataframes import EdgeColumns

__all__ = ["FileArgument", "Reading"]

_PAIRS: Final = "Files of pairs"
_OTHERS: Final = "Records, truth and other collections"


class Scale(StrEnum):
    """What scores are."""

    PROBABILITY = "probability"
    WEIGHT = "weight"


class Ties(StrEnum):
    """Which of several pairs of one score count where not all can."""

    ORDER = "order"
    DROP = "drop"


class NewRecords(StrEnum):
    """What becomes of records that are not there yet."""

    APPEND = "append"
    ERROR = "error"


#: What a command reads its collections from.
FileArgument = Annotated[
    str,
    argument(
        metavar="FILE",
        help="A file made by starlings build, or scored pairs in Parquet, Arrow or CSV: a path, a quoted pattern such "
        "as 'parts/*.parquet', or - for standard input.",
    ),
]


def _pairs(*names: str, help: str, **more: Any) -> Any:
    return option(*names, help=help, rich_help_panel=_PAIRS, **more)


def _others(*names: str, help: str, **more: Any) -> Any:
    return option(*names, help=help, rich_help_panel=_OTHERS, **more)


@dataclass(frozen=True)
class Reading:
    """How files become a frame."""

    format: Annotated[FileFormat | None, _pairs("--format", help="What FILE is; by default its first bytes tell.")] = (
        None
    )
    delimiter: Annotated[
        str | None, _pairs(help="Between columns of CSV; by default a comma, in .tsv files a tab.")
    ] = None
    name: Annotated[str, _pairs("--name", help="What the collection of the pairs is called; by default model.")] = (
        "model"
    )
    left: Annotated[str | None, _pairs(help="The column of the one record's key; else left or unique_id_l.")] = None
    right: Annotated[str | None, _pairs(help="The column of the other's; else right or unique_id_r.")] = None
    score: Annotated[
        str | None, _pairs(help="The column of scores; else score, match_probability or, of weights, match_weight.")
    ] = None
    left_source: Annotated[
        str | None, _pairs(help="The column of the one's source; else left_source or source_dataset_l.")
    ] = None
    right_source: Annotated[str | None, _pairs(help="The column of the other's source, likewise.")] = None
    source: Annotated[str, _pairs(help="The source of keys without one; by default default.")] = "default"
    key_type: Annotated[
        KeyKind,
        _pairs(help="How keys in CSV are read; by default as ints if all look like ints, else as text."),
    ] = KeyKind.AUTO
    scale: Annotated[
        Scale, _pairs(help="What scores are: probabilities in 0..1, the default, or weights, any finite numbers.")
    ] = Scale.PROBABILITY
    quantise: Annotated[
        int | None,
        _pairs("--quantise", "--quantize", min=1, max=6, help="Decimals that scores are rounded to; by default 6."),
    ] = None
    exact: Annotated[bool, _pairs("--exact", help="Compare scores as they are, not rounded.")] = False
    keep_edges: Annotated[
        bool, _pairs("--keep-edges", help="Keep all pairs; without it those that joined something, for explain.")
    ] = False
    unique_source: Annotated[
        list[str] | None,
        _pairs("--unique-source", help="A source of which an entity has at most one record. Repeatable."),
    ] = None
    max_entity_size: Annotated[int | None, _pairs(min=1, help="Records in an entity at most.")] = None
    ties: Annotated[
        Ties, _pairs(help="Under constraints, of pairs of one score: those first in order, the default, or drop all.")
    ] = Ties.ORDER
    new_records: Annotated[
        NewRecords, _pairs(help="Records that --records lack: append them, the default, or make them an error.")
    ] = NewRecords.APPEND
    records: Annotated[
        list[str] | None,
        _others("--records", metavar="[SOURCE=]FILE", help="Records with attributes. Repeatable."),
    ] = None
    truth: Annotated[
        str | None,
        _others(
            "--truth",
            metavar="FILE",
            help="The true entities, one row a record: key, label. The same as --labels truth=FILE.",
        ),
    ] = None
    labels: Annotated[
        list[str] | None,
        _others("--labels", metavar="NAME=FILE", help="Another collection, given as key, label. Repeatable."),
    ] = None
    key: Annotated[
        str | None,
        _others(help="The column of keys in these files; else key, unique_id, record_id or id."),
    ] = None
    label: Annotated[
        str | None, _others(help="The column of labels; else label, entity_id, cluster_id, entity or cluster.")
    ] = None
    key_source: Annotated[
        str | None, _others(help="The column of the keys' sources, if there is one; else source or source_dataset.")
    ] = None

    @property
    def columns(self) -> EdgeColumns:
        """The columns of pairs as far as they were named."""
        return self.left, self.right, self.score, self.left_source, self.right_source

    def edge_options(self) -> dict[str, Any]:
        """The options of a collection of pairs."""
        if self.exact and self.quantise is not None:
            raise Mistake("--exact and --quantise exclude each other: scores are rounded or they are not")
        options: dict[str, Any] = {
            "source": self.source,
            "scale": self.scale.value,
            "keep_edges": self.keep_edges or "forest",
            "unique_sources": tuple(self.unique_source or ()),
            "max_entity_size": self.max_entity_size,
            "ties": self.ties.value,
        }
        if self.exact or self.quantise is not None:
            options["quantise"] = self.quantise
        return options

    @property
    def files(self) -> list[str]:
        """The files that options name."""
        return [pattern for _, pattern in [*self.sourced_records(), *self.named_labels()]]

    def named_labels(self) -> list[tuple[str, str]]:
        """Names of the collections that are given as labels, and their files."""
        truth = [] if self.truth is None else [("truth", self.truth)]
        return truth + [_named(text, "--labels", "NAME=FILE") for text in self.labels or ()]

    def sourced_records(self) -> list[tuple[str, str]]:
        """Sources of the records that are given, and their files."""
        given = self.records or ()
        return [_named(text, "--records", "SOURCE=FILE") if "=" in text else (self.source, text) for text in given]


def _named(text: str, option: str, form: str) -> tuple[str, str]:
    """Both sides of an equals sign."""
    name, equals, rest = text.partition("=")
    if not (name and equals and rest):
        raise Mistake(f"{option} {text!r} is not of the form {form}")
    return name, rest
