"""`croody`: Django's management commands under our own name.

Beside a checkout that `make up` runs, it takes that system's environment, so that a person types nothing else.
What a person must mend is one sentence in the terminal's language; `--traceback` shows where it happened.
"""

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final

from croody import catalogue

#: Where `make up` leaves the environment of its cloud. No such file exists where this package is installed for real.
CHECKOUT_ENV = Path(__file__).resolve().parents[2] / ".run" / "env"
#: Who set one of these means a system of their own. `SECRET_KEY` says nothing: any Django project beside may have exported its own.
_NAMES_A_SYSTEM: Final = ("DATABASE_URL", "DATABASE_URL_FILE", "CROODY_STATE_DIR")


def main() -> None:
    """Run one command."""
    language = catalogue.speak()
    take_checkout_environment(os.environ, CHECKOUT_ENV)
    if not any(os.environ.get(name) for name in ("SECRET_KEY", "SECRET_KEY_FILE", "CROODY_ROLE")):
        sys.exit(f"croody: {_no_system(os.environ)}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    import django
    from django.core.management import execute_from_command_line
    from django.db import InterfaceError, OperationalError, ProgrammingError
    from django.utils import translation

    from croody.env import BadEnvironment

    try:
        if sys.argv[1:] in ([], ["help"], ["-h"], ["--help"]):
            django.setup()
            with translation.override(language):
                sys.stdout.write(_help())
            return
        execute_from_command_line(["croody", *sys.argv[1:]])
    except BadEnvironment as error:
        sys.exit(f"croody: {error}")
    except (InterfaceError, OperationalError, ProgrammingError) as error:
        if "--traceback" in sys.argv:
            raise
        from django.conf import settings

        sys.exit(f"croody: {no_database(settings.DATABASES, error, os.environ)}")


def _help() -> str:
    """Our own commands, one a line; Django's are named at the end."""
    from django.core.management import get_commands, load_command_class
    from django.utils.translation import gettext as _

    ours = sorted((name, app) for name, app in get_commands().items() if app.startswith("croody."))
    lines = [f"  {name:<12} {load_command_class(app, name).help}" for name, app in ours]
    head = _("uso: croody ORDEN [OPCIONES]; `croody ORDEN --help` dice más de cada una")
    tail = _("Las órdenes de Django también están: `croody help --commands` las nombra.")
    return "\n".join([head, "", *lines, "", tail, ""])


def take_checkout_environment(environ: MutableMapping[str, str], path: Path) -> None:
    """Take over the `NAME=value` lines of `path`, unless this process was told which system it serves (`_NAMES_A_SYSTEM`)."""
    if any(name in environ for name in _NAMES_A_SYSTEM) or not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        # Its twin would be believed instead: NAME goes before NAME_FILE.
        environ.pop(name.removesuffix("_FILE"), None)
        environ[name] = value


def no_database(databases: Mapping[str, Mapping[str, Any]], error: Exception, environ: Mapping[str, str]) -> str:
    """What a person reads when a command met a database that it cannot use: which, why, and what to do. Shows no password."""
    names = ", ".join(dict.fromkeys(f"{one.get('HOST') or ''}{':' if one.get('HOST') else ''}{one['NAME']}" for one in databases.values()))
    why = str(error).strip().partition("\n")[0]
    told = {"names": names, "why": why}
    _ = catalogue.of(catalogue.terminal_language(environ)).gettext
    if type(error.__cause__).__name__ == "UndefinedTable" or why.startswith(("no such table", "no such column")):
        return _("la base de datos %(names)s no tiene las tablas de esta versión (%(why)s): ejecuta antes `croody setup`") % told
    return (
        _(
            "la base de datos %(names)s no se puede usar (%(why)s): pon en DATABASE_URL la del sistema que quieres administrar, "
            "o ejecuta `make up` una vez en este clon"
        )
        % told
    )


def _no_system(environ: Mapping[str, str]) -> str:
    _ = catalogue.of(catalogue.terminal_language(environ)).gettext
    return _(
        "no hay SECRET_KEY, ni un sistema de `make up` en este clon: ejecuta `make up` una vez, "
        "o exporta SECRET_KEY y DATABASE_URL del sistema que quieres administrar"
    )


if __name__ == "__main__":
    main()
