"""What the detector said about a robot's windows. The windows themselves are records in `telemetry`."""

from django.db import models


class Verdict(models.Model):
    """The cloud's opinion of one screened window (`robot_id`, `stream`, `seq`)."""

    robot_id = models.CharField(max_length=64)
    stream = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)
    edge_model = models.CharField(max_length=128)
    edge_score = models.FloatField()
    suspect = models.BooleanField()
    sampled = models.BooleanField(default=False)
    #: name -> share of the reconstruction error in [0, 1]: which sensor drove the score.
    drivers = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot_id", "stream", "seq"], name="one_verdict_a_window")]
