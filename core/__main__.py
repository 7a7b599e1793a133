"""``python -m personae.core``: the same as the ``personae`` command."""

import sys

from personae.core.cli import main

if __name__ == "__main__":
    sys.exit(main())
