"""Readings and the ledger that proves them. `robot_id` is text in every key: rows may live apart from the fleet's.

`Record`'s table is made by hand in the migrations: partitioned by day of `at` on PostgreSQL, plain on SQLite.
"""

from typing import Any, Final

from django.db import models

from croody.telemetry.ranges_field import RangesField
from croody_contract.topics import PLAIN_STREAMS


class Record(models.Model):
    """One record of a stream, of any kind. `at` is the effective time: `ts`, or the receipt time when `clock_wrong`.

    `hash` is `croody_contract.batch.payload_hash` of the bytes the robot sent. Readings that came without a stream
    are in the stream `http` or `mqtt`, numbered by the ledger.
    """

    id = models.BigAutoField(primary_key=True)
    robot_id = models.CharField(max_length=64)
    stream = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    at = models.DateTimeField()
    ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    clock_wrong = models.BooleanField(default=False)
    historical = models.BooleanField(default=False)
    hash = models.CharField(max_length=32)
    #: `data` of a reading; for the other kinds every field of the record but kind and ts.
    data = models.JSONField()
    lat = models.FloatField(null=True)
    lng = models.FloatField(null=True)
    alt = models.FloatField(null=True)
    environment = models.CharField(max_length=64, null=True)
    status = models.CharField(max_length=64, null=True)

    class Meta:
        managed = False
        db_table = "telemetry_record"


#: Typed for what Django's stubs leave out: a condition is an expression.
_AGENT_HAS_READINGS: Any = models.Q(latest_seq__isnull=False) & ~models.Q(stream__in=PLAIN_STREAMS)


class Stream(models.Model):
    """The ledger: one row per (robot, stream), locked in sorted order and changed with the insert, in one transaction.

    `place` orders a robot's streams (greater is later). `known_last` is the greatest seq anybody spoke of: what lies
    between 1 and it and is in none of the three sets is missing.
    """

    robot_id = models.CharField(max_length=64)
    stream = models.CharField(max_length=64)
    place = models.FloatField(default=0)
    prev = models.CharField(max_length=64, null=True)
    prev_last = models.BigIntegerField(null=True)
    have = RangesField(default=tuple)
    dead = RangesField(default=tuple)
    dropped = RangesField(default=tuple)
    known_last = models.BigIntegerField(default=0)
    #: What the three sets come to, written with them, so that who sums up reads no set; `counted_at` is `last_received_at` of then. Where
    #: these differ, an earlier version has written the sets since, and they are counted anew.
    stored = models.BigIntegerField(null=True)
    dead_count = models.BigIntegerField(null=True)
    dropped_count = models.BigIntegerField(null=True)
    missing_count = models.BigIntegerField(null=True)
    gaps = models.BigIntegerField(null=True)
    counted_at = models.DateTimeField(null=True)
    first_received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    #: Since when nothing of what is missing has come; null while nothing is missing. A drain that goes on is no gap.
    missing_since = models.DateTimeField(null=True)
    #: The latest reading of this stream as the API shows a row, its seq and effective time.
    latest_seq = models.BigIntegerField(null=True)
    latest_at = models.DateTimeField(null=True)
    latest = models.JSONField(null=True)
    #: When that reading counts as said, told by the cloud's clock: its receipt, or for backlog its own time where that is earlier.
    latest_heard_at = models.DateTimeField(null=True)
    #: An agent's stream that has a reading: of any number of streams the newest such one is found by one step in an index.
    has_readings = models.GeneratedField(expression=_AGENT_HAS_READINGS, output_field=models.BooleanField(), db_persist=True)
    #: Since when the row counts in `StreamTotal` instead. It stays, so that a late repeat is still known for one.
    folded_at = models.DateTimeField(null=True)

    #: The columns of `ledger.Counts`, in its order.
    COUNTS: Final = ("stored", "dead_count", "dropped_count", "missing_count", "gaps")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot_id", "stream"], name="one_ledger_row")]
        indexes = [
            # Those that are not folded by their place; those that are by when.
            models.Index(fields=["robot_id", "folded_at", "place"], name="ledger_open"),
            models.Index(fields=["robot_id", "place"], condition=models.Q(has_readings=True), name="ledger_readings"),
            # Two streams a robot at most, whatever it has behind it: looked for whenever the newest reading is.
            models.Index(fields=["robot_id"], condition=models.Q(stream__in=PLAIN_STREAMS), name="ledger_plain"),
            # Those of a period, whatever became of them: what a proof leads through.
            models.Index(fields=["robot_id", "place", "id"], name="ledger_place"),
            models.Index(fields=["robot_id", "missing_since"], condition=models.Q(missing_since__isnull=False), name="ledger_gaps"),
        ]


class StreamTotal(models.Model):
    """What a robot's folded streams came to: whoever sums up reads this one row and the few streams that are not folded."""

    robot_id = models.CharField(max_length=64, primary_key=True)
    streams = models.BigIntegerField(default=0)
    stored = models.BigIntegerField(default=0)
    dead = models.BigIntegerField(default=0)
    dropped = models.BigIntegerField(default=0)
    #: Numbers that may still come, in so many gaps.
    missing = models.BigIntegerField(default=0, db_default=0)
    gaps = models.BigIntegerField(default=0, db_default=0)
    #: When a folded stream was heard last.
    heard_at = models.DateTimeField(null=True)


class Usage(models.Model):
    """How many streams a robot has opened of late: what every process holds it to. Written when one is opened, never by a reading.

    `streams` is as of `at`; the day's quota flows out of it evenly, so a row of yesterday says nothing any more.
    """

    robot_id = models.CharField(max_length=64, primary_key=True)
    streams = models.FloatField(default=0)
    at = models.DateTimeField(db_index=True)


class DeadLetter(models.Model):
    """What could not be stored, with its reason and its bytes, so that a person can look at it and replay it."""

    robot_id = models.CharField(max_length=64, blank=True, db_index=True)
    stream = models.CharField(max_length=64, blank=True)
    #: 0 and 0 when it has no place in a stream.
    first = models.BigIntegerField(default=0)
    last = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=32)
    detail = models.TextField()
    topic = models.CharField(max_length=512, blank=True)
    body = models.BinaryField()
    hash = models.CharField(max_length=32)
    received_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=1)
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot_id", "stream", "first", "last", "reason", "hash"], name="one_dead_letter")]
        indexes = [
            models.Index(fields=["robot_id", "stream"], condition=models.Q(reason="conflict"), name="letters_of_conflicts"),
            models.Index(fields=["received_at"], condition=models.Q(reason="conflict"), name="conflicts_by_age"),
            models.Index(fields=["received_at"], condition=models.Q(reason="quota"), name="quotas_by_age"),
        ]


class Presence(models.Model):
    """What the robot, or its last will, said last about being there. Never enough alone: see `liveness.judge`."""

    robot_id = models.CharField(max_length=64, primary_key=True)
    state = models.CharField(max_length=16)
    stream = models.CharField(max_length=64, blank=True)
    queued = models.BigIntegerField(default=0)
    interval_s = models.FloatField(null=True)
    since = models.DateTimeField()
    received_at = models.DateTimeField()
    #: The runs that said `online` last and before that. An agent never goes back to an earlier run of its own: how often one came back
    #: all the same, since a third one spoke, and when it did last.
    speaker = models.CharField(max_length=64, blank=True, default="", db_default="")
    speaker_before = models.CharField(max_length=64, blank=True, default="", db_default="")
    returns = models.PositiveIntegerField(default=0, db_default=0)
    came_back_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["came_back_at"], condition=models.Q(came_back_at__isnull=False), name="presence_that_alternates")]


class VehicleMemory(models.Model):
    """What a VDA 5050 vehicle said last, as far as it decides what is news: `vehicles.Memory`, as JSON. A row a vehicle.

    `vehicle`: whose it is. `version` counts its changes: who has read an older one reads again.
    """

    robot_id = models.CharField(max_length=64, primary_key=True)
    vehicle = models.CharField(max_length=257)
    version = models.BigIntegerField(default=0)
    memory = models.TextField()
    at = models.DateTimeField()


class Rollup(models.Model):
    """Mean, least and greatest of one numeric metric in one bucket; kept after the raw rows are gone."""

    robot_id = models.CharField(max_length=64)
    metric = models.CharField(max_length=64)
    #: Bucket length in seconds: 60 or 3600.
    step_s = models.PositiveIntegerField()
    at = models.DateTimeField()
    count = models.BigIntegerField()
    mean = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot_id", "metric", "step_s", "at"], name="one_bucket")]
        indexes = [
            models.Index(fields=["at"], condition=models.Q(step_s=60), name="minutes_by_age"),
            models.Index(fields=["at"], condition=models.Q(step_s=3600), name="hours_by_age"),
        ]


class Cursor(models.Model):
    """How far a job has read the records (`queries.Follower` as JSON)."""

    name = models.CharField(max_length=64, primary_key=True)
    value = models.JSONField(default=dict)


class BridgeRun(models.Model):
    """What a bridge has had stored since it was started, so that a relay it sends again stores nothing twice.

    `have`: numbers of plain readings, as JSON ranges; below what it still has to send there are no holes, so it is short.
    """

    bridge = models.CharField(max_length=129, primary_key=True)
    run = models.CharField(max_length=32)
    have = models.TextField()
    at = models.DateTimeField()


class Delivered(models.Model):
    """Marks of the plain readings of one commit: a broker may deliver them again when their bridge was killed just then.

    `session`: bridges whose packet ids come from one counter. `marks`: eight bytes a reading, made of packet id, robot and bytes.
    """

    session = models.CharField(max_length=129)
    at = models.DateTimeField(db_index=True)
    marks = models.BinaryField()


class SetAside(models.Model):
    """What a job could not do, and why: one bad row costs itself alone. Kept as long as rows are."""

    job = models.CharField(max_length=32)
    robot_id = models.CharField(max_length=64, blank=True)
    what = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "robot_id", "what"], name="set_aside_once")]


class Picture(models.Model):
    """What a camera of a robot saw: a few of the newest, each at least ten seconds after the one before. `at` is as of a record."""

    robot_id = models.CharField(max_length=64)
    camera = models.CharField(max_length=64)
    at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    jpeg = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["robot_id", "camera", "-at"], name="pictures_of_camera")]


class RobotDay(models.Model):
    """What one robot did on one day in UTC, summed up by a job: whoever looks at weeks reads a row a robot and day, never readings.

    The current day's row is written again and again; the day before it too, for what came late.
    """

    robot_id = models.CharField(max_length=64)
    day = models.DateField()
    #: Minutes that the day has had for this robot so far, and those of them in which it sent readings.
    possible = models.PositiveIntegerField()
    minutes = models.PositiveIntegerField(default=0)
    readings = models.BigIntegerField(default=0)
    #: Times without readings between two readings, and how many minutes they came to.
    gaps = models.PositiveIntegerField(default=0)
    gap_minutes = models.PositiveIntegerField(default=0)
    #: Grave alarms that opened, those that ended, and how long these had been open.
    failures = models.PositiveIntegerField(default=0)
    repairs = models.PositiveIntegerField(default=0)
    repair_s = models.FloatField(default=0)
    #: What the battery gave, in whole charges; how far the robot went by its own speed. Null: it says nothing of it.
    cycles = models.FloatField(null=True)
    distance_m = models.FloatField(null=True)
    #: Acts of people on it or its alarms.
    interventions = models.PositiveIntegerField(default=0)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot_id", "day"], name="one_row_a_robot_and_day")]
        indexes = [models.Index(fields=["day"], name="days_by_age")]
