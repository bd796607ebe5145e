"""What visitors leave: messages, and who wants to try Buddy."""

from django.db import models


class Message(models.Model):
    """What somebody wrote at `/contacto/`."""

    name = models.CharField(max_length=120)
    email = models.EmailField()
    text = models.TextField()
    language = models.CharField(max_length=2)
    at = models.DateTimeField(db_index=True)


class BetaRequest(models.Model):
    """Somebody who wants to try Buddy. Counts once its address is confirmed, by the link that was mailed there."""

    email = models.EmailField(unique=True)
    plan = models.CharField(max_length=12)
    note = models.CharField(max_length=300, blank=True)
    language = models.CharField(max_length=2)
    asked_at = models.DateTimeField(db_index=True)
    confirmed_at = models.DateTimeField(null=True)
