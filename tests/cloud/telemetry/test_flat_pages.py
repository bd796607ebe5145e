"""Each page, list of the API and job as a whole, as a browser or the clock asks: it costs the same whatever a robot has behind it.

`test_flat` says which question grew; here none is left out, for pages come from the URLconf and jobs from the worker's table.
"""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

from django.test import Client

from tests.cloud.telemetry import test_flat as flat
from tests.cloud.telemetry.helpers import NOON
from tests.cloud.telemetry.test_flat import FEW, MANY, NOW, SLACK_ROWS, SLACK_STEPS, TIMES, Meter, settle, today  # noqa: F401
from tests.cloud.test_who_may import PAGES

#: Files that are as long as what is asked for, streams that never end, and what is about people.
_LEFT_OUT: Final = ("stream", "export", "api/v1/<path", "cuenta/", "admin/", "favicon", "pictures", "access/")
_LISTS: Final = (
    "robots",
    "robots/rover-1",
    "robots/rover-1/values",
    "alarms",
    "alarms?status=all",
    "organisations",
    "sites",
    "deliveries",
    "audit",
    "exceptions",
)
#: What looks at one row of each robot there ever was.
_BY_ROBOT: Final = {"fold_finished"}


def old_alarms(fleet: SimpleNamespace, numbers: range) -> None:
    """A month old, and over: a shift, a day or a week of alarms may cost what it holds."""
    from croody.alarms.models import Alarm

    month = NOON - timedelta(days=30)
    Alarm.objects.bulk_create(
        Alarm(robot_id="rover-1", kind=kind, key=f"{n}", severity="high", opened_at=month, last_at=month, resolved_at=month)
        for n in numbers
        for kind in ("offline", "gap", "anomaly")
    )


_BEHIND: Final = (flat.starts, flat.retired_robots, old_alarms, flat.answered_commands)


def _questions(user: Any) -> dict[str, Callable[[], Any]]:
    from croody.worker.jobs import JOBS

    client = Client()
    client.force_login(user)
    shown = (address for name, (method, address, status) in PAGES.items() if (method, status) == ("GET", 200))
    wanted = {address.format(robot="rover-1", organisation="alices") for address in shown if not any(one in address for one in _LEFT_OUT)}
    # What is for who runs the site alone is not hers.
    pages = {address for address in wanted if client.get(address).status_code == 200}
    assert len(pages) > 25

    def get(address: str) -> Callable[[], None]:
        def ask() -> None:
            assert client.get(address).status_code == 200, address

        return ask

    def run(job: Any) -> Callable[[], None]:
        return lambda: job.run(NOW)

    return {
        **{address: get(address) for address in sorted(pages | {f"/api/v1/{name}" for name in _LISTS})},
        **{job.name: run(job) for job in JOBS},
    }


def test_no_page_and_no_job_costs_more_with_much_behind_a_robot(
    fleet: SimpleNamespace,
    today: None,  # noqa: F811
    telemetry: str,
) -> None:
    meter = Meter()
    asked = _questions(fleet.alice)

    def measured(numbers: range) -> dict[str, tuple[int, int]]:
        for behind in _BEHIND:
            behind(fleet, numbers)
        # Once before, jobs first: what they do when they are late is not what they do every time.
        for question in reversed(asked.values()):
            question()
        settle()
        costs: dict[str, tuple[int, int]] = {}
        for name, question in asked.items():
            with meter(costs, name):
                question()
        return costs

    few, many = measured(range(FEW)), measured(range(FEW, MANY))

    dearer = [
        f"{name}: {few[name]} -> {cost}"
        for name, cost in many.items()
        if name not in _BY_ROBOT
        if cost[0] > TIMES * few[name][0] + SLACK_ROWS or cost[1] > TIMES * few[name][1] + SLACK_STEPS
    ]
    assert "\n".join(dearer) == "", "(rows of PostgreSQL, steps of SQLite)"
