"""`python -m croody.bridge`."""

from croody.bridge.cli import main

main()
