"""The machine the agent runs on: processor, memory, temperature where there is one, disk and network. Reads Linux' /proc and /sys.

What a machine does not have is left out of the reading. Rates are taken between two reads, so the first reading has none.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from croody_contract.messages import Reading, Value
from croody_edge.sources import Context, SourceSettings

_SECTOR_BYTES: Final = 512
_PAGE: Final = 1024
#: Block devices that are not disks of their own.
_NOT_DISKS: Final = ("loop", "ram", "zram", "dm-", "md", "sr", "fd")


@dataclass(frozen=True, slots=True)
class _Counters:
    """What only ever grows, at one moment."""

    at_s: float
    busy: float
    total: float
    received: int
    sent: int
    read: int
    written: int


class HostSource:
    """A `PullSource` over this machine."""

    def __init__(self, *, interval_s: float = 1.0, root: Path = Path("/"), disk: Path = Path("/")) -> None:
        """Args: `root` is where `proc` and `sys` lie; `disk` is a path on the file system to watch."""
        self.interval_s = interval_s
        self._proc, self._sys, self._disk = root / "proc", root / "sys", disk
        self._before: _Counters | None = None

    def read(self, now: float) -> Reading | None:
        """One look at the machine."""
        data: dict[str, Value] = {}
        counters = self._count(now)
        if counters is not None and self._before is not None and counters.at_s > self._before.at_s:
            data |= _rates(self._before, counters)
        self._before = counters
        data |= self._memory()
        data |= self._load()
        temperature_c = self._temperature_c()
        if temperature_c is not None:
            data["temp_c"] = round(temperature_c, 1)
        usage = os.statvfs(self._disk)
        if usage.f_blocks:
            data["disk_used_pct"] = round(100.0 * (1 - usage.f_bavail / usage.f_blocks), 2)
            data["disk_free_bytes"] = usage.f_bavail * usage.f_frsize
        return Reading(data=data, ts=datetime.fromtimestamp(now, UTC), environment="host") if data else None

    def close(self) -> None:
        """Nothing is held open."""

    def _count(self, now: float) -> _Counters | None:
        cpu = _words(self._proc / "stat")
        if not cpu or cpu[0][0] != "cpu":
            return None
        times = [int(word) for word in cpu[0][1:9]]
        idle = times[3] + (times[4] if len(times) > 4 else 0)
        received = sent = 0
        for words in _words(self._proc / "net/dev", separator=":"):
            if len(words) >= 10 and words[0] != "lo" and words[1].isdigit():
                received += int(words[1])
                sent += int(words[9])
        read = written = 0
        for words in _words(self._proc / "diskstats"):
            if len(words) >= 10 and not words[2].startswith(_NOT_DISKS) and (self._sys / "block" / words[2]).exists():
                read += int(words[5]) * _SECTOR_BYTES
                written += int(words[9]) * _SECTOR_BYTES
        return _Counters(now, sum(times) - idle, sum(times), received, sent, read, written)

    def _memory(self) -> dict[str, Value]:
        found = {words[0].rstrip(":"): int(words[1]) * _PAGE for words in _words(self._proc / "meminfo") if len(words) > 1}
        total, free = found.get("MemTotal"), found.get("MemAvailable")
        if not total or free is None:
            return {}
        return {"mem_used_pct": round(100.0 * (total - free) / total, 2), "mem_available_bytes": free}

    def _load(self) -> dict[str, Value]:
        words = _words(self._proc / "loadavg")
        uptime = _words(self._proc / "uptime")
        out: dict[str, Value] = {}
        if words:
            out["load_1min"] = float(words[0][0])
        if uptime:
            out["uptime_s"] = float(uptime[0][0])
        return out

    def _temperature_c(self) -> float | None:
        """The hottest of what the kernel calls a thermal zone, or else of its hardware monitors."""
        for pattern in ("class/thermal/thermal_zone*/temp", "class/hwmon/hwmon*/temp*_input"):
            found = [value / 1000 for path in self._sys.glob(pattern) if (value := _whole(path)) is not None]
            sane = [value for value in found if -50 < value < 200]
            if sane:
                return max(sane)
        return None


class Host(HostSource):
    """The kind `host`: watches the disk on which the outbox lies."""

    Settings = SourceSettings

    def __init__(self, own: SourceSettings, context: Context) -> None:
        super().__init__(interval_s=own.interval_s, disk=context.edge_dir)


def _rates(before: _Counters, after: _Counters) -> dict[str, Value]:
    elapsed_s = after.at_s - before.at_s
    out: dict[str, Value] = {}
    if after.total > before.total:
        out["cpu_pct"] = round(min(100.0, max(0.0, 100.0 * (after.busy - before.busy) / (after.total - before.total))), 2)
    for name, old, new in (
        ("net_received_bps", before.received, after.received),
        ("net_sent_bps", before.sent, after.sent),
        ("disk_read_bps", before.read, after.read),
        ("disk_written_bps", before.written, after.written),
    ):
        if new >= old:  # An interface that went takes its count with it.
            bits = 8 if name.startswith("net") else 1
            out[name if bits == 8 else name.replace("_bps", "_bytes_per_s")] = round(bits * (new - old) / elapsed_s, 1)
    return out


def _words(path: Path, *, separator: str = "") -> list[list[str]]:
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return [words for line in text.splitlines() if (words := (line.replace(separator, " ") if separator else line).split())]


def _whole(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
