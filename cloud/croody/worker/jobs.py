"""What runs by the clock: one table. The functions live in their own apps; `croody worker` runs the table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from croody.alarms import jobs as alarms
from croody.detection.incidents import jobs as incidents
from croody.detection.network import jobs as networks
from croody.detection.sensor import findings as sensor
from croody.detection.site_models import jobs as site_models
from croody.detection.windows import jobs as ids
from croody.enrolment import jobs as enrolment
from croody.fleet import jobs as fleet
from croody.liveness import jobs as liveness
from croody.notices import deliver
from croody.notices import jobs as notices
from croody.shop import jobs as shop
from croody.site import history, own_data
from croody.telemetry import jobs as telemetry
from croody.worker import retention
from croody.worker.runs import note_runs

Thread = Literal["credentials", "quick", "alarms", "fold", "rollups", "slow", "detection", "incidents", "rules", "notices", "days"]


@dataclass(frozen=True, slots=True)
class Job:
    """`run(now)` every `period_s`. Jobs of one thread run one after the other: what may take long is not in `quick`."""

    name: str
    period_s: float
    run: Callable[[datetime], None]
    thread: Thread = "slow"


JOBS: list[Job] = [
    # Alone: a revoked robot is out within a second, whatever the others have to do.
    Job("write_credentials", 0.5, fleet.write_credentials, "credentials"),
    Job("judge_liveness", 2, liveness.judge_liveness, "quick"),
    Job("request_gaps", 2, telemetry.request_gaps, "quick"),
    Job("note_runs", 10, note_runs, "quick"),
    Job("end_rotations", 2, enrolment.end_rotations, "quick"),
    Job("raise_alarms", 2, telemetry.raise_alarms, "alarms"),
    Job("notice_copies", 10, telemetry.notice_copies, "alarms"),
    Job("fold_finished", 10, telemetry.fold_finished, "fold"),
    Job("score_windows", 2, ids.score_windows, "detection"),
    Job("judge_networks", 5, networks.judge_networks, "detection"),
    Job("watch_models", 60, site_models.watch_models, "detection"),
    # Alone: who gets in meanwhile does not wait for windows.
    Job("read_sensor", 2, sensor.read_sensor, "incidents"),
    Job("find_incidents", 2, incidents.find_incidents, "incidents"),
    Job("keep_pictures", 2, telemetry.keep_pictures, "detection"),
    Job("judge_rules", 5, notices.judge_rules, "rules"),
    Job("tell", 5, deliver.tell, "rules"),
    # Alone: whoever is told may take his time to answer.
    Job("send_notices", 2, deliver.send, "notices"),
    # Beside it: a mail server may take its time, too.
    Job("send_order_mails", 5, shop.send_mails, "notices"),
    Job("tell_waiting", 60, shop.tell_waiting, "notices"),
    Job("expire_orders", 20, shop.expire_orders),
    # It waits a second at most for each that is away.
    Job("note_parts", 60, history.note_parts, "days"),
    Job("let_leave", 600, own_data.let_leave),
    Job("close_old_alarms", 60, alarms.close_old),
    Job("retire_borrowed", 300, liveness.retire_borrowed),
    # Both go through the same cursor, so they share a thread; it may have much to do after an outage.
    Job("roll_up", 20, telemetry.roll_up, "rollups"),
    Job("make_partitions", 600, telemetry.make_partitions),
    Job("forget_deliveries", 60, telemetry.forget_deliveries),
    Job("apply_retention", 3600, telemetry.apply_retention, "rollups"),
    # It may have weeks to sum up, and keeps nobody waiting.
    Job("count_days", 900, telemetry.count_days, "days"),
    Job("let_go", 3600, retention.let_go),
]
