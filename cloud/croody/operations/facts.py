"""What `./croody status` found out, as frozen structs; those of the engine are read from the tab-separated lines of ops/status.sh."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from croody.console.system.facts import Disk


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a service. `current` compares it with the compose files and images as they are now."""

    service: str
    state: str
    health: str
    exit_code: int
    image: str
    current: bool
    revision: str
    started: str


@dataclass(frozen=True, slots=True)
class Backup:
    """The newest backup of the folder, and how many are there. `name` is empty where there is none."""

    folder: str = ""
    name: str = ""
    size_bytes: int = 0
    count: int = 0
    #: Whether they are made by themselves, and how often, hours.
    scheduled: bool = False
    period_h: float = 24.0

    @property
    def made_at(self) -> datetime | None:
        """From its name, which is its time in UTC."""
        try:
            return datetime.strptime(self.name.split(".")[0], "croody-%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Facts:
    """`version` is the tag of the images, `revision` the commit of this clone, empty where nobody knows."""

    version: str
    revision: str
    wanted: tuple[str, ...]
    containers: tuple[Container, ...]
    backup: Backup
    #: Containers that a killed command left: service and short id.
    left: tuple[tuple[str, str], ...] = ()
    #: Secrets that changed since what reads them started: service and name.
    changed: tuple[tuple[str, str], ...] = ()
    #: Of the database's server, which has a file system of its own; None where there is none.
    database_disk: Disk | None = None


#: Jobs: they end, and that is well.
JOBS = frozenset({"backup-folder", "migrate", "roles", "secrets"})


def parse(lines: Iterable[str]) -> Facts:
    """Read the lines; what is unknown is left out.

    Raises:
        ValueError: a line that is not of its kind; ops/status.sh and the image are of different versions.
    """
    rows = [line.rstrip("\n").split("\t") for line in lines if line.strip()]

    def of(kind: str) -> list[list[str]]:
        return [row[1:] for row in rows if row[0] == kind]

    hashes = {row[0]: row[1] for row in of("hash")}
    images = {row[0]: row[1] for row in of("image")}
    containers = []
    for service, state, health, code, ref, image, config, started, revision in of("container"):
        current = hashes.get(service, config) == config and images.get(ref, image) == image
        containers.append(Container(service, state, health, int(code), ref, current, revision, started))
    disks = [Disk(int(free) * 1024, int(used) * 1024) for free, used in of("dbdisk")]
    version, revision = (of("version") or [["", ""]])[0]
    backup = Backup()
    for folder, name, size, count, scheduled, every_h, at in of("backup"):
        backup = Backup(folder, name, int(size or 0), int(count or 0), scheduled == "yes", 24.0 if at else float(every_h or 24))
    return Facts(
        version,
        revision,
        tuple(sorted(row[0] for row in of("wanted"))),
        tuple(containers),
        backup,
        left=tuple((service, short) for service, short in of("left")),
        changed=tuple((service, name) for service, name in of("changed")),
        database_disk=disks[0] if disks else None,
    )
