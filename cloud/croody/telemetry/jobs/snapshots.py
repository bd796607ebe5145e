"""Takes pictures out of the records, keeps a few of each camera, and lets go of the rest. A record without its picture stays.

A record of a new picture has the kind `snapshot`, and is found by an index of those alone; what was looked at is `snapshot_seen`.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from croody.telemetry.jobs.aside import set_aside
from croody.telemetry.models import Picture, Record
from croody_contract.jpeg import NoJpeg, size_of
from croody_contract.limits import PICTURE_EVERY_S

#: Pictures that are kept of one camera, and cameras of one robot.
KEPT: Final = 24
CAMERAS: Final = 16
#: Records in one transaction, and in one run.
_TURN: Final = 10
_RUN: Final = 500
NEW: Final = "snapshot"
SEEN: Final = "snapshot_seen"


def keep_pictures(now: datetime) -> None:
    """Look at every new one, oldest first; a run is bounded, the next one goes on."""
    for _ in range(_RUN // _TURN):
        if _turn(now) < _TURN:
            return


def _turn(now: datetime) -> int:
    alias = settings.TELEMETRY_DB
    with transaction.atomic(using=alias):
        rows = list(Record.objects.filter(kind=NEW).order_by("pk")[:_TURN])
        for row in rows:
            said: dict[str, Any] = row.data
            body = _body(said, row, now)
            size = size_of(body) if body else (0, 0)
            kept = bool(body) and _keep(row, str(said.get("camera", "camera"))[:64], body, size)
            left = {"camera": said.get("camera", "camera"), "bytes": len(body), "width": size[0], "height": size[1], "kept": kept}
            Record.objects.filter(pk=row.pk, robot_id=row.robot_id, at=row.at).update(kind=SEEN, data=left)
    return len(rows)


def _body(said: dict[str, Any], row: Record, now: datetime) -> bytes:
    """The picture; empty for one that somebody wrote past the contract."""
    try:
        body = base64.b64decode(str(said.get("jpeg", "")), validate=True)
        size_of(body)
    except (binascii.Error, NoJpeg) as error:
        set_aside("keep_pictures", row.robot_id, f"snapshot {row.pk}", error, now)
        return b""
    return body


def _keep(row: Record, camera: str, body: bytes, size: tuple[int, int]) -> bool:
    """Keep one that is at least so much apart from every other of its camera; the oldest beyond `KEPT` goes."""
    mine = Picture.objects.filter(robot_id=row.robot_id, camera=camera)
    apart = timedelta(seconds=PICTURE_EVERY_S)
    if mine.filter(at__gt=row.at - apart, at__lt=row.at + apart).exists():
        return False
    if not mine.exists() and len(cameras(row.robot_id)) >= CAMERAS:
        return False
    Picture.objects.create(
        robot_id=row.robot_id, camera=camera, at=row.at, received_at=row.received_at, width=size[0], height=size[1], jpeg=body
    )
    old = list(mine.order_by("-at", "-pk").values_list("pk", flat=True)[KEPT : KEPT + _TURN])
    if old:
        Picture.objects.filter(pk__in=old).delete()
    return True


def cameras(robot_id: str) -> Sequence[str]:
    """The cameras of a robot of which something is kept."""
    return list(Picture.objects.filter(robot_id=robot_id).order_by("camera").values_list("camera", flat=True).distinct()[: CAMERAS + 1])
