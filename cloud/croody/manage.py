"""`croody`: Django's management commands under our own name.

Beside a checkout that `make up` runs, it takes that system's environment, so that a person types nothing else.
"""

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

#: Where `make up` leaves the environment of its cloud. No such file exists where this package is installed for real.
CHECKOUT_ENV = Path(__file__).resolve().parents[2] / ".run" / "env"


def main() -> None:
    """Run one command."""
    take_checkout_environment(os.environ, CHECKOUT_ENV)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    from django.core.management import execute_from_command_line

    from croody.env import BadEnvironment

    try:
        execute_from_command_line(["croody", *sys.argv[1:]])
    except BadEnvironment as error:
        sys.exit(f"croody: {error}")


def take_checkout_environment(environ: MutableMapping[str, str], path: Path) -> None:
    """Add the `NAME=value` lines of `path`, unless somebody configured this process already (`SECRET_KEY` tells)."""
    if "SECRET_KEY" in environ or "SECRET_KEY_FILE" in environ or not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        environ.setdefault(name, value)


if __name__ == "__main__":
    main()
