"""Pictures of a robot's cameras: the newest of each, and one by its number. What is kept of them is `jobs.snapshots`' business."""

from collections.abc import Sequence
from typing import Final

from croody.telemetry.models import Picture

#: Cameras that are shown.
MOST: Final = 4


def newest(robot_id: str) -> Sequence[Picture]:
    """The newest picture of each camera, without its bytes, by the name of the camera."""
    cameras = Picture.objects.filter(robot_id=robot_id).order_by("camera").values_list("camera", flat=True).distinct()[:MOST]
    found = (Picture.objects.filter(robot_id=robot_id, camera=camera).defer("jpeg").order_by("-at").first() for camera in list(cameras))
    return [picture for picture in found if picture is not None]


def picture(robot_id: str, number: int) -> Picture | None:
    """One with its bytes."""
    return Picture.objects.filter(robot_id=robot_id, pk=number).first() if 0 < number < 2**63 else None
