"""The command line ``starlings``: what the package does, over files.

A thin layer: a command reads its files into an `EntityFrame`, asks it one question and shows the answer. Answers go to
standard output, everything else to standard error. What users can mend is one line there, never a traceback.

Importing this imports neither the libraries of the command line nor those of any file format.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from starlings.cli.mistakes import Mistake, tell
from starlings.exceptions import MissingDependencyError
from starlings.optional import require

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; what it returns is the exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the name of the program; by default those of the process.

    Returns
    -------
    int
        0: done. 1: the answer is no (a gate failed; cuts differ, where that was asked). 2: a mistake in the arguments
        or the input. 130: interrupted. 141: nobody reads the output any more. 129, 143: ended by SIGHUP, SIGTERM.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        require("typer", "the command line")
        from starlings.cli.application import run
    except MissingDependencyError as error:
        tell(Mistake.of(error), as_json="--json" in given)
        return 2
    except KeyboardInterrupt:
        return 130
    return run(given)
