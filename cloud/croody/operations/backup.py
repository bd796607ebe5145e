"""`python -m croody.operations.backup`: SQLite databases to an archive on standard output, and back. Knows files, no Django.

Consistent while everything writes: SQLite's own backup copies a database as it stood at one moment, into TMPDIR. With `--verify` an
archive on standard input is read back and counted, with `--restore` put in the place of what is there (nothing may be running then).
"""

import io
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from croody.env import parse_database, value_of


class BadBackup(ValueError):
    """An archive that is not a backup, or a damaged one; says which file of it and why."""


def main(arguments: list[str]) -> int:
    """One of three things; the exit status is 0 when it is done."""
    try:
        files = databases(os.environ)
        match arguments:
            case []:
                save(files, sys.stdout.buffer)
            case ["--verify"]:
                print(verify(files, sys.stdin.buffer))
            case ["--restore"]:
                print(restore(files, sys.stdin.buffer))
            case _:
                print("backup: no argument, --verify or --restore", file=sys.stderr)
                return 2
    except (OSError, ValueError, sqlite3.Error, tarfile.TarError) as error:
        print(f"backup: {error}", file=sys.stderr)
        return 1
    return 0


def databases(environ: Mapping[str, str]) -> list[Path]:
    """The SQLite files of this system.

    Raises:
        ValueError: its database is another.
    """
    database = parse_database(value_of(environ, "DATABASE_URL"), "DATABASE_URL")
    if database.engine != "sqlite":
        raise ValueError("DATABASE_URL: not SQLite: PostgreSQL is backed up with pg_dump (./croody backup does)")
    telemetry = value_of(environ, "TG_DB_PATH")
    return [Path(database.name), *([Path(telemetry)] if telemetry and telemetry != database.name else [])]


def save(files: list[Path], out: BinaryIO) -> None:
    """Write an archive of copies, each as of one moment.

    Raises:
        sqlite3.Error: a file is no database.
        OSError: no room in the folder of temporary files.
    """
    with tempfile.TemporaryDirectory(prefix=".backup-") as folder, tarfile.open(fileobj=out, mode="w|gz") as archive:
        for path in files:
            copy = Path(folder) / path.name
            source = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)
            target = sqlite3.connect(copy)
            try:
                source.backup(target)
            finally:
                source.close()
                target.close()
            archive.add(copy, arcname=path.name)


def verify(files: list[Path], archive: BinaryIO) -> str:
    """Unpack beside the databases, check each copy and count; returns what to tell.

    Raises:
        BadBackup: a file is missing, or damaged.
    """
    with tempfile.TemporaryDirectory(prefix=".verify-") as folder:
        return _unpack(files, archive, Path(folder))


def restore(files: list[Path], archive: BinaryIO) -> str:
    """Put verified copies in the place of the databases; what was there is gone.

    Raises:
        BadBackup: a file is missing, or damaged; then nothing was changed.
    """
    with tempfile.TemporaryDirectory(dir=files[0].parent, prefix=".restore-") as folder:
        told = _unpack(files, archive, Path(folder))
        for path in files:
            # A log that belongs to the old file must not be played into the new one.
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            os.replace(Path(folder) / path.name, path)
    return told


def _unpack(files: list[Path], archive: BinaryIO, folder: Path) -> str:
    wanted = {path.name for path in files}
    with tarfile.open(fileobj=archive, mode="r|gz") as packed:
        for member in packed:
            content = packed.extractfile(member)
            if member.name in wanted and content is not None:
                with (folder / member.name).open("wb") as file:
                    shutil.copyfileobj(content, file, io.DEFAULT_BUFFER_SIZE * 16)
    counts = []
    for path in files:
        copy = folder / path.name
        if not copy.exists():
            raise BadBackup(f"{path.name}: not in this archive, which holds another system's backup or none")
        connection = sqlite3.connect(copy)
        try:
            (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
            if answer != "ok":
                raise BadBackup(f"{path.name}: damaged: {answer}")
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table, word in (("fleet_robot", "robots"), ("telemetry_record", "readings")):
                if table in tables:
                    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                    if count or word == "robots":
                        counts.append(f"{count} {word}")
        finally:
            connection.close()
    return ", ".join(counts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
