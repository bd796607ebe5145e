"""What visitors leave: messages, and who wants to try Buddy."""

from django.conf import settings
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


class PartDay(models.Model):
    """How often a part of Croody was asked on one day (UTC), and how often it was well."""

    part = models.CharField(max_length=12)
    day = models.DateField(db_index=True)
    checks = models.PositiveIntegerField(default=0)
    well = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["part", "day"], name="site_one_row_a_part_and_day")]


class Outage(models.Model):
    """What whoever runs this Croody tells of an outage, by hand. Open as long as it has no end."""

    title_es = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120)
    text_es = models.TextField(blank=True)
    text_en = models.TextField(blank=True)
    began_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.title_es


class Leaving(models.Model):
    """Somebody asked to be forgotten: their account goes when it is due, unless they change their mind."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)
    #: When a mail that says so was handed over, in which language; until then it is tried again.
    told_at = models.DateTimeField(null=True)
    language = models.CharField(max_length=8, blank=True, default="", db_default="")
