"""An export as a file on this machine: written as it comes, taken up again where it was cut off, called by its name once it is whole."""

import http.client
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from croody_client.errors import Away
from croody_client.link import Link
from croody_client.rows import Rows

_PIECE: Final = 256 * 1024


def save(link: Link, what: str, to: Path, values: Mapping[str, Any]) -> Path:
    """Fetch `/exports/WHAT` into `to`.

    A CSV goes on behind its last whole row, in this run or in a later one with the same question; a Parquet file begins anew.

    Raises:
        ApiError: refused. Away: cut off more often than is tried; what came is kept in `TO.part`.
    """
    part, told = to.with_name(f"{to.name}.part"), to.with_name(f"{to.name}.part.json")
    asked = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items() if value is not None}
    csv = asked.get("format", "csv") == "csv"
    known = _known(told) if csv and part.exists() else {}
    if known.get("asked") != asked:
        known = {"asked": asked}
        part.unlink(missing_ok=True)
    rows = _whole(part)
    failures = 0
    while rows.count < asked.get("limit", math.inf):
        begun = rows.whole
        try:
            _fetch(link, what, {**asked, **_on(known, rows)}, part, told, known, rows, csv=csv)
            break
        except (http.client.HTTPException, OSError) as error:
            # What goes on is no failure: only tries in a row that bring nothing count.
            failures = 0 if rows.whole > begun and csv else failures + 1
            if failures >= link.tries:
                raise Away(f"/exports/{what}: cut off: {error!r}; what came is in {part}") from error
            link.pause(failures)
    with part.open("rb+") as file:
        # What is called by its name is whole, also after a power cut.
        os.fsync(file.fileno())
    os.replace(part, to)
    told.unlink(missing_ok=True)
    return to


def _fetch(
    link: Link,
    what: str,
    asked: Mapping[str, Any],
    part: Path,
    told: Path,
    known: dict[str, Any],
    rows: Rows,
    *,
    csv: bool,
) -> None:
    with link.open(f"/exports/{what}", asked) as answer, part.open("ab" if csv else "wb") as file:
        file.truncate(rows.whole if csv else 0)
        known.setdefault("as_of", answer.headers.get("Export-As-Of"))
        told.write_text(json.dumps(known), encoding="utf-8")
        while piece := answer.read1(_PIECE):
            file.write(piece)
            if csv:
                rows.take(piece)
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)


def _on(known: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """How to ask for what comes after the rows that are here."""
    rows.cut()
    if not rows.count:
        return {}
    left = {"limit": known["asked"]["limit"] - rows.count} if "limit" in known["asked"] else {}
    return {"as_of": known["asked"].get("as_of") or known.get("as_of"), "after": rows.last, **left}


def _whole(part: Path) -> Rows:
    rows = Rows()
    if part.exists():
        with part.open("rb") as file:
            while piece := file.read(_PIECE):
                rows.take(piece)
    return rows


def _known(told: Path) -> dict[str, Any]:
    try:
        known = json.loads(told.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
