"""`croody`: Django's management commands under our own name."""

import os
import sys


def main() -> None:
    """Run one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["croody", *sys.argv[1:]])


if __name__ == "__main__":
    main()
