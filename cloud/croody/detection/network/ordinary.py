"""What is ordinary on the networks of robots, as it was calibrated; each asked for once."""

from croody.detection.models import SiteCalibration
from croody.fleet.models import Robot
from croody_contract.flows.limits import Maxima


class Ordinary:
    """Made anew for each turn of a job, so that a new calibration holds from then on."""

    def __init__(self) -> None:
        self._known: dict[str, Maxima | None] = {}

    def of(self, robot_id: str) -> Maxima | None:
        """The newest calibration of the robot's own network, else of its site."""
        if robot_id not in self._known:
            site = Robot.objects.filter(pk=robot_id).values_list("site_id", flat=True).first()
            found = SiteCalibration.objects.filter(site=site, robot_id__in=("", robot_id)).order_by("-robot_id", "-pk")
            self._known[robot_id] = found.values_list("maxima", flat=True).first() if site is not None else None
        return self._known[robot_id]
