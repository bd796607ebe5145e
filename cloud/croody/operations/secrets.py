"""Secrets as files: makes those of a system without any, judges those of production. Knows files, no Django.

`python -m croody.operations.secrets` is the job `secrets`, which production's database and everything else wait for.
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from croody import catalogue
from croody.env import KNOWN_DEFAULTS, BadEnvironment, parse_database, value_of

#: How many random bytes a secret has that is made here.
SIZES: Final = {
    "SECRET_KEY": 48,
    "BRIDGE_TOKEN": 32,
    "BRIDGE_MQTT_PASSWORD": 32,
    "TG_INGEST_TOKEN": 32,
    "IDS_API_TOKEN": 32,
    "ADMIN_PASSWORD": 9,
    "POSTGRES_PASSWORD": 24,
}
#: What the development system in containers makes for itself, by the volume that holds it.
CLOUD: Final = ("SECRET_KEY", "BRIDGE_TOKEN", "BRIDGE_MQTT_PASSWORD", "TG_INGEST_TOKEN", "IDS_API_TOKEN")
ROBOTS: Final = ("ADMIN_PASSWORD",)
#: Production: variable -> shortest value. DATABASE_URL is judged by its password.
_REQUIRED: Final = {"SECRET_KEY": 50, "BRIDGE_TOKEN": 32, "BRIDGE_MQTT_PASSWORD": 16}
_OPTIONAL: Final = {"TG_INGEST_TOKEN": 32, "IDS_API_TOKEN": 32}
_SHORTEST_DATABASE_PASSWORD: Final = 16
#: Of other containers than the cloud's: judged where they are given.
_OTHERS: Final = {"POSTGRES_PASSWORD": 16, "ADMIN_PASSWORD": 12}
_PLACEHOLDERS: Final = KNOWN_DEFAULTS | {"croody", "postgres", "password", "admin", "xxx", "abc123...", "example"}


def main() -> int:
    """Judge; the exit status is 0 when everything is good, else each fault is named, with the remedy."""
    found = [*faults(os.environ), *others(os.environ)]
    if found:
        print(complaint(found), file=sys.stderr)
    return 1 if found else 0


def complaint(found: list[str]) -> str:
    """What to tell of these faults, in both languages: it stands in a log that anybody may read."""
    said = [_complaint(catalogue.of(language).gettext) for language in reversed(catalogue.LANGUAGES)]
    lines = "".join(f"\n  {fault}" for fault in found)
    return f"croody: {' / '.join(problem for problem, _ in said)}:{lines}\n{' / '.join(remedy for _, remedy in said)}"


def _complaint(_: Callable[[str], str]) -> tuple[str, str]:
    return _("producción no arranca con estos secretos"), _(
        "Borra de ./secrets los archivos malos; `./croody secrets init` crea otros buenos."
    )


def make(folder: Path, names: Iterable[str]) -> None:
    """Write those of `SIZES` that are missing, each a file that only this user can read; what is there stays.

    Raises:
        OSError: the folder cannot be written.
    """
    for name in names:
        path = folder / name
        if not path.exists() or not path.read_text(encoding="utf-8").strip():
            write(path, secrets.token_urlsafe(SIZES[name]) + "\n")


def read(folder: Path, name: str) -> str:
    """The value of one secret.

    Raises:
        OSError: it is not there, or closed to this user.
    """
    return (folder / name).read_text(encoding="utf-8").strip()


def write(path: Path, text: str) -> None:
    """Replace a file whole, readable by nobody else at any moment.

    Raises:
        OSError: the folder cannot be written.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_credentials(path: Path) -> dict[str, str]:
    """Robots' secrets by id, from `ID SECRET` lines; none where there is no file.

    Raises:
        OSError: the file is closed to this user.
    """
    return pairs(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_credentials(path: Path, credentials: Mapping[str, str]) -> None:
    """Write the file that `croody-sim --credentials` reads.

    Raises:
        OSError: the folder cannot be written.
    """
    write(path, "".join(f"{robot_id} {secret}\n" for robot_id, secret in credentials.items()))


def pairs(text: str) -> dict[str, str]:
    """What lines of two words say; every other line is passed over."""
    return {words[0]: words[1] for words in map(str.split, text.splitlines()) if len(words) == 2}


def faults(environ: Mapping[str, str], names: Iterable[str] = (*_REQUIRED, *_OPTIONAL)) -> list[str]:
    """What keeps these secrets, and the database's, from production: a sentence for each that is missing, a placeholder or too short."""
    found = []
    rules = _REQUIRED | _OPTIONAL
    # The mail server's address has a password of somebody else's making: `env` judges its form, and nobody its length.
    for name, shortest in {name: rules[name] for name in names if name in rules}.items():
        try:
            value = value_of(environ, name)
        except BadEnvironment as error:
            found.append(str(error))
            continue
        if not value and name in _OPTIONAL:
            continue
        found += _fault(name, value, shortest)
    try:
        database = parse_database(value_of(environ, "DATABASE_URL"), "DATABASE_URL")
    except BadEnvironment as error:
        return [*found, str(error)]
    if database.engine == "postgres":
        found += _fault("DATABASE_URL (its password)", database.password, _SHORTEST_DATABASE_PASSWORD)
    return found


def others(environ: Mapping[str, str]) -> list[str]:
    """Faults of the secrets that belong to the database's server and to the virtual robots, where they are given."""
    found = []
    for name, shortest in _OTHERS.items():
        if name not in environ and f"{name}_FILE" not in environ:
            continue
        try:
            found += _fault(name, value_of(environ, name), shortest)
        except BadEnvironment as error:
            found.append(str(error))
    if found:
        return found
    try:
        database = parse_database(value_of(environ, "DATABASE_URL"), "DATABASE_URL")
    except BadEnvironment:
        return []
    password = value_of(environ, "POSTGRES_PASSWORD")
    if password and database.host == "db" and database.password != password:
        return ["DATABASE_URL: its password is not the one in POSTGRES_PASSWORD"]
    return []


def _fault(name: str, value: str, shortest: int) -> list[str]:
    if not value:
        return [f"{name}: missing"]
    if is_placeholder(value):
        return [f"{name}: a placeholder that everybody knows"]
    if len(value) < shortest:
        return [f"{name}: {len(value)} characters, and {shortest} or more are needed"]
    return []


def is_placeholder(value: str) -> bool:
    """Say whether this is an example from some documentation rather than a secret."""
    text = value.strip().lower()
    return text in _PLACEHOLDERS or text.startswith(("django-insecure", "change-me", "changeme", "change_me", "<"))


if __name__ == "__main__":
    sys.exit(main())
