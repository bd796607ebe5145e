"""A vehicle that names as many orders and errors as it likes: its robot meets its own quotas, and no other robot notices."""

import time
from datetime import timedelta
from typing import Any

from tests.cloud.telemetry.helpers import NOON
from tests.cloud.telemetry.test_vehicles import agv, ingest, item, letters, rows, state
from tests.patience import A_BUSY_SECOND_S

__all__ = ["agv"]
#: States, in requests of so many; each names an order of its own and so many errors that nobody named before.
STATES, TOGETHER, ERRORS = 100, 4, 20
OTHER = "uagv/v2/Acme/AGV-2/"


def _said(number: int) -> dict[str, Any]:
    names = (f"error{chr(97 + index)}{number:05}" for index in range(ERRORS))
    wrong = [
        {"errorType": name, "errorLevel": "FATAL", "errorReferences": [{"referenceKey": f"k{number}", "referenceValue": name}]}
        for name in names
    ]
    return state(headerId=number, orderId=f"order-{number}", orderUpdateId=number, errors=wrong)


def test_thousands_of_errors_and_an_order_a_message_of_one_vehicle_cost_no_other_its_alarm_or_its_data(agv: str, settings: Any) -> None:
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs
    from croody.telemetry.models import Rollup, VehicleMemory

    quotas = settings.ENV.quotas
    for first in range(0, STATES, TOGETHER):
        ingest(*(item("state", _said(first + number), first + number + 1) for number in range(TOGETHER)), seconds=first)
        jobs.raise_alarms(NOON + timedelta(seconds=first + 1))
    other = item("state", state(serialNumber="AGV-2", errors=[{"errorType": "orderError", "errorLevel": "FATAL"}]), 1, OTHER)
    begun = time.monotonic()
    ingest(other, seconds=STATES)
    assert time.monotonic() - begun < A_BUSY_SECOND_S
    jobs.raise_alarms(NOON + timedelta(seconds=STATES + 1))
    jobs.roll_up(NOON + timedelta(minutes=5))

    assert Alarm.objects.filter(robot_id="agv-2", kind="vda_order_error", resolved_at=None).count() == 1
    assert [one.kind for one in rows("agv-2")] == ["born", "event", "reading"]
    mine = Alarm.objects.filter(robot_id=agv)
    assert mine.filter(kind="quota").count() == 1
    assert mine.filter(resolved_at=None).count() <= quotas.alarms + 1
    assert mine.count() <= 5 * quotas.alarms + 1
    assert len({one.data["order_id"] for one in rows(agv, "reading")}) == STATES
    assert len({one.data["code"] for one in rows(agv, "event")}) == STATES * ERRORS
    assert letters() == []
    assert Rollup.objects.filter(robot_id=agv).values("metric").distinct().count() <= 40, "what an order is called is no metric's name"
    assert len(VehicleMemory.objects.get(robot_id=agv).memory) < 16_384, "it is asked for with every message"
