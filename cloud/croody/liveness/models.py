"""When the cloud itself was listening, and what runs by the clock in it."""

from django.db import models


class Listening(models.Model):
    """One row: since when, and until when, some bridge heard the broker without a break. Silence counts only then."""

    ONLY = 1

    since = models.DateTimeField()
    at = models.DateTimeField()
    #: What the bridge that was heard last says of itself: its version, and messages that it has not handed over yet.
    version = models.CharField(max_length=64, blank=True, default="", db_default="")
    waiting = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        #: The name is older than the room: a version before this one finds its table.
        db_table = "fleet_listening"


class JobRun(models.Model):
    """How a job of the worker ran last: a row a job, written every few seconds by the worker that leads."""

    name = models.CharField(max_length=64, primary_key=True)
    period_s = models.FloatField()
    #: Of the last run, which may still go on; null: it has not run yet.
    started_at = models.DateTimeField(null=True)
    #: Of the last run that ended, and how long it took.
    ended_at = models.DateTimeField(null=True)
    took_s = models.FloatField(null=True)
    #: How often in a row it failed, and by what; the log has the rest.
    failures = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    noted_at = models.DateTimeField()
