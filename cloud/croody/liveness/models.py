"""When the cloud itself was listening."""

from django.db import models


class Listening(models.Model):
    """One row: since when, and until when, some bridge heard the broker without a break. Silence counts only then."""

    ONLY = 1

    since = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        #: The name is older than the room: a version before this one finds its table.
        db_table = "fleet_listening"
