"""The board below the agent: its clock, and the disk on which the outbox lies. Asks files and the kernel; changes nothing for good."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from errno import ENOSPC, EROFS
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from croody_contract.limits import MIB
from croody_edge.doctor.finding import Finding, ok, wrong
from croody_edge.outbox.rescue import FILE
from croody_edge.texts import text

#: Nobody runs this program before it was written.
_EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
#: A file may be this much younger than now, seconds: the agent writes while we look.
_SLACK_S: Final = 5.0
#: Less room than this is too little, whatever the outbox may still take.
_LEAST_FREE_BYTES: Final = 16 * MIB
#: The kernel's word for a clock that nobody keeps (adjtimex(2)).
_TIME_ERROR: Final = 5
#: Room for `struct timex` of any platform.
_TIMEX_BYTES: Final = 512
#: A card says how much of its life is used in tenths, from 1; 11 is more than all.
_OLD_TENTHS: Final = 10


def clock(folder: Path, now: float) -> Finding:
    """Whether the board's clock may be right.

    Args:
        folder: of the outbox: what lies there was written before now.
        now: unix seconds.
    """
    moment = datetime.fromtimestamp(now, UTC)
    if moment < _EARLIEST:
        return wrong("clock", text("doctor.clock_past", now=moment, earliest=_EARLIEST))
    newest = max((path.stat().st_mtime for path in folder.glob(f"{FILE}*")), default=0.0)
    if newest > now + _SLACK_S:
        return wrong("clock", text("doctor.clock_back", now=moment, newest=datetime.fromtimestamp(newest, UTC)))
    return ok("clock", text("doctor.clock_kept" if _kept() else "doctor.clock_alone", now=moment))


def disk(folder: Path, limit_bytes: int, sys_block: Path = Path("/sys/block")) -> Iterator[Finding]:
    """Whether the outbox finds room, by writing there, and how worn a card is where it says so.

    Args:
        folder: of the outbox.
        limit_bytes: what the outbox may take in all.
        sys_block: where the kernel tells of block devices.
    """
    yield _room(folder, limit_bytes)
    for device in sorted(sys_block.glob("mmcblk*")):
        tenths = _tenths(device / "device" / "life_time")
        if tenths >= _OLD_TENTHS:
            yield wrong("disk", text("doctor.worn", device=device.name, percent=min(100, (tenths - 1) * 10)))
        elif tenths:
            yield ok("disk", text("doctor.wear", device=device.name, percent=tenths * 10))


def existing(folder: Path) -> Path:
    """The folder, or else the nearest one above it that there is: an agent makes what is missing."""
    return next(above for above in (folder, *folder.absolute().parents) if above.is_dir())


def _room(folder: Path, limit_bytes: int) -> Finding:
    try:
        usage = shutil.disk_usage(existing(folder))
        _write_a_little(existing(folder))
    except OSError as error:
        return wrong("disk", _refusal(folder, error))
    used = sum(path.stat().st_size for path in folder.glob(f"{FILE}*"))
    wanted = max(0, limit_bytes - used)
    words = {"folder": folder, "free": _mib(usage.free), "total": _mib(usage.total), "wanted": _mib(wanted)}
    if usage.free < _LEAST_FREE_BYTES:
        return wrong("disk", text("doctor.disk_nearly_full", **words))
    return ok("disk", text("doctor.disk_tight" if usage.free < wanted else "doctor.disk", **words))


def _write_a_little(folder: Path) -> None:
    with TemporaryFile(dir=folder) as file:
        file.write(b"\0" * 64 * 1024)
        file.flush()
        os.fsync(file.fileno())


def _refusal(folder: Path, error: OSError) -> str:
    if error.errno == ENOSPC:
        return text("doctor.disk_full", folder=folder, error=error.strerror)
    if error.errno == EROFS:
        return text("doctor.disk_read_only", folder=folder, error=error.strerror)
    if isinstance(error, PermissionError):
        return text("doctor.disk_denied", folder=folder, error=error.strerror, user=os.geteuid())
    return text("doctor.disk_broken", folder=folder, error=error)


def _tenths(file: Path) -> int:
    """The worse of the two numbers that an eMMC or SD card gives, 0 where it gives none."""
    try:
        return max(int(word, 16) for word in file.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return 0


def _kept() -> bool:
    """Say whether something keeps the kernel's clock to the time of others."""
    try:
        return bool(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) not in (-1, _TIME_ERROR))
    except (OSError, AttributeError):
        return False


def _mib(size: int) -> int:
    return size // MIB
