"""Which robot is which VDA 5050 vehicle. Knows its own table, never MQTT nor what vehicles say."""

from collections.abc import Collection
from typing import Final

from django.utils.translation import gettext as _

from croody.fleet.models import Robot, Vehicle
from croody.fleet.services import BadRobot
from croody_contract import vda5050

#: First level of a vehicle's topics, where nobody says another: the one of the standard's own examples.
INTERFACE: Final = "uagv"


def bind(robot: Robot, name: str, interface: str = INTERFACE) -> Vehicle:
    """Make a robot the vehicle `MANUFACTURER/SERIAL`, from whom alone it is heard under that name. For a robot whose account is being made.

    Raises:
        BadRobot: a name that no topic carries, or that of another robot's vehicle.
    """
    manufacturer, _slash, serial = name.partition("/")
    try:
        vda5050.branch(interface, manufacturer, serial)
    except ValueError as error:
        raise BadRobot(
            _("vehículo %(name)s: escribe FABRICANTE/SERIE (y, si no es uagv, --interface) con letras, dígitos y «_.:-», como en sus temas")
            % {"name": repr(f"{interface}/{name}"[:80])}
        ) from error
    other = Vehicle.objects.filter(manufacturer=manufacturer, serial=serial).exclude(robot=robot).select_related("robot").first()
    if other is not None and other.robot.deleted_at is None:
        raise BadRobot(
            _("vehículo %(name)s: ya es el robot %(id)s: revócalo antes, o usa ese") % {"name": str(other), "id": other.robot_id}
        )
    if other is not None:
        other.delete()
    said = {"interface": interface, "manufacturer": manufacturer, "serial": serial}
    return Vehicle.objects.update_or_create(robot=robot, defaults=said)[0]


def branches() -> dict[str, str]:
    """Robot -> branch of the topics of its vehicle, of all that may come in."""
    found = Vehicle.objects.filter(robot__deleted_at=None)
    return {one.robot_id: vda5050.branch(one.interface, one.manufacturer, one.serial) for one in found}


def robots_of(topics: Collection[vda5050.Topic]) -> dict[tuple[str, str, str], str]:
    """(interface, manufacturer, serial) -> robot, of those vehicles among these that may come in."""
    found = Vehicle.objects.filter(serial__in={topic.serial for topic in topics}, robot__deleted_at=None)
    return {(one.interface, one.manufacturer, one.serial): one.robot_id for one in found}


def told(robot: Robot) -> str:
    """Which vehicle a robot is, in a word; `-` when it is none."""
    found = Vehicle.objects.filter(robot=robot).first()
    return f"{found.interface}: {found}" if found is not None else "-"
