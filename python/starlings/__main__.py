"""``python -m starlings``: the command line."""

import sys

from starlings.cli import main

if __name__ == "__main__":
    sys.exit(main())
