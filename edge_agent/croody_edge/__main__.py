"""`python -m croody_edge`, where no script is installed."""

import sys

from croody_edge.cli import main

if __name__ == "__main__":
    sys.exit(main())
