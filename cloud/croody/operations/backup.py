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
from contextlib import ExitStack
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

    Telemetry's first, where it has a file of its own: what its jobs have read is written in the other one before.

    Raises:
        sqlite3.Error: a file is no database.
        OSError: no room in the folder of temporary files.
    """
    with tempfile.TemporaryDirectory(prefix=".backup-") as folder, tarfile.open(fileobj=out, mode="w|gz") as archive:
        for path in reversed(files):
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
        return _unpack({path: Path(folder) / path.name for path in files}, archive)


def restore(files: list[Path], archive: BinaryIO) -> str:
    """Put verified copies in the place of the databases, all of them or none; what was there is gone.

    Raises:
        BadBackup: a file is missing, or damaged; then nothing was changed.
        OSError: no room, or a file that cannot be moved; the same.
    """
    with ExitStack() as stack:
        # Beside each of them: they may lie on different disks, and only a move within one is all or nothing.
        folders = {path: Path(stack.enter_context(tempfile.TemporaryDirectory(dir=path.parent, prefix=".restore-"))) for path in files}
        told = _unpack({path: folders[path] / path.name for path in files}, archive)
        for path in files:
            _sync(folders[path] / path.name)
        moved: list[tuple[Path, Path]] = []
        placed: list[Path] = []
        try:
            for path in files:
                # Its log, too: one that belongs to the old file must not be played into the new one.
                for suffix in ("", "-wal", "-shm"):
                    old, aside = path.with_name(path.name + suffix), folders[path] / f"old{suffix}"
                    if old.exists():
                        os.replace(old, aside)
                        moved.append((aside, old))
            for path in files:
                os.replace(folders[path] / path.name, path)
                placed.append(path)
        except BaseException:
            for path in placed:
                path.unlink()
            for aside, old in moved:
                os.replace(aside, old)
            raise
        for path in files:
            _sync(path.parent)
    return told


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, lie on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unpack(copies: Mapping[Path, Path], archive: BinaryIO) -> str:
    wanted = {path.name: copy for path, copy in copies.items()}
    with tarfile.open(fileobj=archive, mode="r|gz") as packed:
        for member in packed:
            content = packed.extractfile(member)
            if member.name in wanted and content is not None:
                with wanted[member.name].open("wb") as file:
                    shutil.copyfileobj(content, file, io.DEFAULT_BUFFER_SIZE * 16)
    counts = []
    for path, copy in copies.items():
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
