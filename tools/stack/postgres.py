"""A PostgreSQL server of one's own, in a directory of one's own. Knows how to run one; not what is stored in it."""

import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from urllib.parse import quote

from tools.stack.process import Spec
from tools.words import Problem

USER = "croody"
DATABASE = "croody"
#: It owns the server, and has no way in while that runs.
_SUPERUSER = "postgres"
_ROLES_MARK = "roles"
_IF_NO_ROLE = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{0}') THEN CREATE ROLE {0} {1}; END IF; END $$"
#: Nobody can give themselves another name: a helper does it.
_ROLES = (
    _IF_NO_ROLE.format("croody_renames", "SUPERUSER"),
    "SET SESSION AUTHORIZATION croody_renames",
    f"DO $$ BEGIN IF (SELECT rolname FROM pg_roles WHERE oid = 10) = '{USER}'"
    f" THEN ALTER ROLE {USER} RENAME TO {_SUPERUSER}; END IF; END $$",
    f"SET SESSION AUTHORIZATION {_SUPERUSER}",
    "DROP ROLE croody_renames",
    _IF_NO_ROLE.format(USER, "LOGIN"),
)
_DATABASE = (f"CREATE DATABASE {DATABASE} OWNER {USER}", f"ALTER DATABASE {DATABASE} OWNER TO {USER}")
#: Tables, with their indexes and sequences, that the superuser made when it had our name.
_GIFTS = (
    "DO $$ DECLARE one text; BEGIN FOR one IN SELECT oid::regclass::text FROM pg_class WHERE relowner = 10 AND relkind IN ('r', 'p')"
    " AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%' OR nspname = 'information_schema')"
    f" LOOP EXECUTE 'ALTER TABLE ' || one || ' OWNER TO {USER}'; END LOOP; END $$"
)
#: Safe only where losing everything in a power cut does not matter: tests.
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server lives and how to reach it. `url` is the DATABASE_URL of its database."""

    data: Path
    port: int
    password: str
    durable: bool = True

    def url(self, database: str = DATABASE) -> str:
        """`postgres://USER:PASSWORD@127.0.0.1:PORT/NAME`."""
        return f"postgres://{USER}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{database}"

    def initialise(self) -> None:
        """Make the data directory, once; an attempt that was interrupted begins again.

        Raises:
            Problem: PostgreSQL is not installed, or initdb failed.
        """
        account = drop_to()
        if not ((self.data / "PG_VERSION").exists() and (self.data / "ready").exists()):
            self._make(account)
        if not (self.data / _ROLES_MARK).exists():
            self._make_roles(account)

    def _make(self, account: str | None) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, mode=0o700)
        if account:
            shutil.chown(self.data, account, pwd.getpwnam(account).pw_gid)
        # Nobody comes in by what initdb writes: it is written anew before the server starts.
        arguments = ["-U", _SUPERUSER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
        done = subprocess.run(
            [*_as(account, self.data), str(binary("initdb")), "-D", str(self.data), *arguments, *([] if self.durable else ["--no-sync"])],
            stdin=subprocess.DEVNULL,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            check=False,
        )
        if done.returncode:
            detail = " ".join(done.stdout.split())[-400:]
            raise Problem(f"initdb no pudo crear {self.data}: {detail}", f"initdb could not make {self.data}: {detail}")
        settings = {**_SETTINGS, **({} if self.durable else UNSAFE)}
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        self._mark("ready", account)

    def _make_roles(self, account: str | None) -> None:
        """Let our own role in, which owns its database and nothing else; the superuser has no way in while the server runs.

        In a directory of an earlier version the superuser is called as our role is: it gets another name, and what it made is given away.
        """
        (self.data / "pg_hba.conf").write_text(f"host all {USER} 127.0.0.1/32 scram-sha-256\n", encoding="ascii")
        may = "NOSUPERUSER NOCREATEROLE " + ("NOCREATEDB" if self.durable else "CREATEDB")
        self._alone(account, "postgres", [*_ROLES, f"ALTER ROLE {USER} {may} PASSWORD '{self.password}'", *_DATABASE])
        self._alone(account, DATABASE, [_GIFTS])
        self._mark(_ROLES_MARK, account)

    def _alone(self, account: str | None, database: str, commands: list[str]) -> None:
        """Run commands, each a line, as the only user of a server that nobody else can reach.

        Raises:
            Problem: one of them failed.
        """
        done = subprocess.run(
            [*_as(account, self.data), str(binary("postgres")), "--single", "-D", str(self.data), database],
            input="".join(f"{command}\n" for command in commands),
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            check=False,
        )
        bad = [line for line in done.stderr.splitlines() if re.search("ERROR:|FATAL:", line) and "already exists" not in line]
        if done.returncode or bad:
            detail = " ".join(bad or done.stderr.split())[-400:]
            raise Problem(f"PostgreSQL no pudo preparar {self.data}: {detail}", f"PostgreSQL could not prepare {self.data}: {detail}")

    def _mark(self, name: str, account: str | None) -> None:
        """Leave word that something was done. PostgreSQL starts only where it owns every file."""
        (self.data / name).touch()
        if account:
            shutil.chown(self.data / name, account)

    def spec(self, name: str = "postgres") -> Spec:
        """How to run it. Ready means that our user can log in and its database is there."""
        account = drop_to()
        return Spec(
            name,
            [*_as(account, self.data), str(binary("postgres")), "-D", str(self.data), "-p", str(self.port), "-k", ""],
            stop_signal=SIGINT,  # end sessions and shut down cleanly; SIGTERM would wait for every client
            ready=self.ready,
            before=self.initialise,
            cwd=Path("/"),
        )

    def ready(self) -> bool:
        """Whether the database answers."""
        return self._psql("-d", DATABASE, "-c", "SELECT 1") == 0

    def _psql(self, *arguments: str) -> int:
        environ = {**os.environ, "PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "3"}
        command = [str(binary("psql")), "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, *arguments]
        return subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode


def binary(name: str) -> Path:
    """A program of the newest PostgreSQL that Debian installed, or of the PATH.

    Raises:
        Problem: there is none; says what to install.
    """
    for folder in _folders():
        if (folder / name).exists():
            return folder / name
    raise Problem(
        f"Falta el servidor PostgreSQL ({name}): instálalo con «apt-get install postgresql» (como root o con sudo).",
        f"The PostgreSQL server is not here ({name}): install it with 'apt-get install postgresql' (as root or with sudo).",
    )


def installed() -> bool:
    """Whether a server could be run here."""
    return any((folder / "initdb").exists() for folder in _folders())


def _folders() -> Iterable[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: _version(path.parent.name), reverse=True)
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent


def _version(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def drop_to() -> str | None:
    """The account that runs the server when this process is root, which PostgreSQL refuses; None when it is not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Problem(
        "PostgreSQL no arranca como root y no hay otra cuenta: instala el paquete postgresql o usa una cuenta normal.",
        "PostgreSQL does not run as root and there is no other account: install the postgresql package or use a normal account.",
    )


def _let_through(account: str, folder: Path) -> None:
    """A folder of ours that is closed to everybody lets this account's group pass to what it knows by name, and see nothing."""
    mode = folder.stat().st_mode
    if not mode & 0o001:
        shutil.chown(folder, group=pwd.getpwnam(account).pw_gid)
        folder.chmod(stat.S_IMODE(mode) | 0o010)


def _passable(account: str, folder: Path) -> bool:
    found = folder.stat()
    return bool(found.st_mode & 0o001 or (found.st_gid == pwd.getpwnam(account).pw_gid and found.st_mode & 0o010))


def _as(account: str | None, data: Path) -> list[str]:
    """The command prefix that drops root for `account`.

    Where a directory above `data` is closed to that account (a clone under /root), it keeps one capability: to pass
    through and read. It can write only what is its own all the same.
    """
    if account is None:
        return []
    setpriv = shutil.which("setpriv", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")
    _let_through(account, data.parent)
    if setpriv is None:
        raise Problem("Falta setpriv: instala el paquete util-linux.", "setpriv is missing: install the util-linux package.")
    prefix = [setpriv, f"--reuid={account}", f"--regid={pwd.getpwnam(account).pw_gid}", "--clear-groups"]
    if all(_passable(account, parent) for parent in data.resolve().parents):
        return [*prefix, "--inh-caps=-all", "--pdeathsig=INT"]
    return [*prefix, "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--pdeathsig=INT"]
