"""How far a robot is that changes its secret by itself, and why one cannot, in words. One query."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from croody.enrolment import rotation
from croody.telemetry.read.capabilities import announced
from croody.telemetry.read.events import Told


@dataclass(frozen=True, slots=True)
class Rotation:
    """Whether it can now, or `why_not`; how the last one stands, and whether that is still under way."""

    can: bool
    why_not: str
    told: str = ""
    at: datetime | None = None
    open: bool = False


def rotation_of(robot_id: str, start: Told | None, kinds: Collection[str], now: datetime) -> Rotation:
    """Of this robot; `start` is what its agent announced last, `kinds` what of it reaches the robot now."""
    can = rotation.ROTATE in kinds
    why_not = "" if can else _why_not(start)
    row = rotation.newest(robot_id)
    if row is None:
        return Rotation(can, why_not)
    if row.answered_at is None and row.expires_at > now:
        received = row.answer_state == "received"
        told = (
            _("Hizo uno nuevo; falta que entre con él. El de antes vale hasta entonces.")
            if received
            else _("Pedido; el robot no contestó aún.")
        )
        return Rotation(can, why_not, told, row.created_at, open=True)
    if row.answer_state == "done":
        return Rotation(can, why_not, _("Lo cambió él mismo."), row.answered_at)
    return Rotation(can, why_not, _("No lo cambió: vale el de antes."), row.answered_at or row.expires_at)


def _why_not(start: Told | None) -> str:
    if start is None or start.data.get("capabilities") is None:
        return _("No tiene un agente nuestro que pueda, o no ha arrancado: dale tú uno nuevo.")
    if rotation.ROTATE in announced(start):
        return _("Ahora manda sus lecturas por HTTP, y por ahí no le llega ninguna orden: dale tú uno nuevo.")
    return _(
        "Su agente es anterior, o tiene el secreto en sus ajustes y no en su carpeta. Con un pase lo tendrá en ella; o dale tú uno nuevo."
    )
