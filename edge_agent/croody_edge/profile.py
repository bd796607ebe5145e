"""`croody-edge profile`: what was learned of this robot's own sensors, how old it is, and the act by which it is learned again."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from croody_contract.printable import printable
from croody_contract.profiles import ANY_MODE, Profile, Refused, hash_of
from croody_edge.screen.learned import files
from croody_edge.texts import text


def show(folder: Path, now: float, chosen: Namespace) -> int:
    """Print it, or forget it where that is asked for. Returns 1 when there is none that can be used, or it cannot be changed.

    Args:
        folder: the agent's own.
        now: unix seconds.
        chosen: `relearn`, `json`.
    """
    if chosen.relearn:
        return _relearn(folder)
    try:
        profile = files.read(folder)
        if profile is None:
            rows, lasted_s = progress(folder)
    except (Refused, OSError) as error:
        print(f"croody-edge: {printable(str(error))}", file=sys.stderr)
        return 1
    if profile is None:
        if chosen.json:
            print(json.dumps({"learned": False, "readings": rows, "lasted_s": lasted_s}))
        else:
            print(text("profile.none", rows=rows, hours=f"{lasted_s / 3600:.1f}", folder=folder))
        return 1
    if chosen.json:
        print(json.dumps(_told(profile, now)))
    else:
        print("\n".join(printable(line) for line in _lines(profile, now)))
    return 0


def progress(folder: Path) -> tuple[int, float]:
    """Readings that were learned so far, and over how many seconds. Only looks: an agent may be writing.

    Raises:
        OSError: they cannot be read.
    """
    rows, last = 0, b""
    try:
        with (folder / files.JOURNAL).open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    rows, last = rows + 1, line
        return rows, float(json.loads(last)[0]) if last else 0.0
    except FileNotFoundError:
        return 0, 0.0
    except (ValueError, TypeError, IndexError):
        return rows, 0.0


def _relearn(folder: Path) -> int:
    try:
        had = files.relearn(folder)
    except OSError as error:
        print(f"croody-edge: {printable(text('profile.cannot', folder=folder, error=error))}", file=sys.stderr)
        return 1
    print(printable(text("profile.forgotten" if had else "profile.nothing", folder=folder, before=files.BEFORE)))
    return 0


def _lines(profile: Profile, now: float) -> Iterator[str]:
    yield text(
        "profile.is",
        name=profile.name(),
        made_at=profile.made_at,
        days=int(files.age_days(profile, now)),
        readings=profile.readings,
        hours=f"{profile.lasted_s / 3600:.1f}",
        interval=f"{profile.interval_s:g}",
    )
    if files.age_days(profile, now) > files.OLD_DAYS:
        yield text("profile.old", most=files.OLD_DAYS)
    if modes := profile.modes():
        yield text("profile.modes", modes=", ".join(modes))
    for one in profile.metrics:
        still_s = one.levels[ANY_MODE].still_s
        line = text("profile.metric", name=one.name, low=one.low, high=one.high, step=one.step, gap=one.gap_s, still=still_s)
        yield line + (text("profile.wanders") if one.wanders else "")
    if profile.left_out:
        yield text("profile.left_out", names=", ".join(profile.left_out))


def _told(profile: Profile, now: float) -> dict[str, object]:
    return {
        "learned": True,
        "name": profile.name(),
        "sha256": hash_of(profile),
        "made_at": profile.made_at.isoformat(),
        "age_days": round(files.age_days(profile, now), 2),
        "old": files.age_days(profile, now) > files.OLD_DAYS,
        "readings": profile.readings,
        "lasted_s": profile.lasted_s,
        "interval_s": profile.interval_s,
        "modes": profile.modes(),
        "joint": profile.joint,
        "left_out": profile.left_out,
        "metrics": [
            {"name": one.name, "low": one.low, "high": one.high, "step": one.step, "gap_s": one.gap_s, "wanders": one.wanders}
            for one in profile.metrics
        ],
    }
