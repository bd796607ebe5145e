"""A PostgreSQL server of one's own, in a directory of one's own. Knows how to run one; not what is stored in it."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from urllib.parse import quote

from croody.operations.secrets import write
from tools.stack.process import Spec
from tools.words import Problem

USER = "croody"
DATABASE = "croody"
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
        if (self.data / "PG_VERSION").exists() and (self.data / "ready").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, mode=0o700)
        if account:
            shutil.chown(self.data, account, pwd.getpwnam(account).pw_gid)
        password_file = self.data.with_name(self.data.name + ".password")
        write(password_file, self.password + "\n")
        if account:
            shutil.chown(password_file, account)
        arguments = ["-U", USER, "--auth=scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
        done = subprocess.run(
            [*_as(account, self.data), str(binary("initdb")), "-D", str(self.data), *arguments, *([] if self.durable else ["--no-sync"])],
            stdin=subprocess.DEVNULL,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            check=False,
        )
        password_file.unlink()
        if done.returncode:
            detail = " ".join(done.stdout.split())[-400:]
            raise Problem(f"initdb no pudo crear {self.data}: {detail}", f"initdb could not make {self.data}: {detail}")
        settings = {**_SETTINGS, **({} if self.durable else UNSAFE)}
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        # PostgreSQL starts only on a directory that no other user can read, and these files may have been written by anybody.
        (self.data / "ready").touch()
        if account:
            shutil.chown(self.data / "ready", account)

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
        """Whether the database answers; makes it the first time."""
        if self._psql("-d", DATABASE, "-c", "SELECT 1") == 0:
            return True
        return self._psql("-d", "postgres", "-c", f"CREATE DATABASE {DATABASE}") == 0

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
