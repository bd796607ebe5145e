"""What the detector said about a robot's windows. The windows themselves are records in `telemetry`."""

from django.db import models

from croody.accounts.models import Organisation
from croody.fleet.models import Site


class Verdict(models.Model):
    """The cloud's opinion of one screened window (`robot_id`, `stream`, `seq`)."""

    class Basis(models.TextChoices):
        """What the opinion rests on: the robot's own usual windows, until then other robots', until then the edge score alone."""

        BASELINE = "baseline"
        FLEET = "fleet"
        EDGE = "edge"

    class Label(models.TextChoices):
        """What it was, said by a person."""

        REAL = "real"
        """Something was wrong."""
        NORMAL = "normal"
        """Nothing was."""

    robot_id = models.CharField(max_length=64)
    stream = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    #: Effective time of the window, and when the cloud judged it (the two differ after an outage).
    at = models.DateTimeField(db_index=True)
    judged_at = models.DateTimeField()
    edge_model = models.CharField(max_length=128)
    edge_score = models.FloatField()
    suspect = models.BooleanField()
    sampled = models.BooleanField(default=False)
    basis = models.CharField(max_length=16, choices=Basis.choices, default=Basis.EDGE)
    #: How far the window lies from the robot's usual, in robust standard deviations; null while there is no usual yet.
    deviation = models.FloatField(null=True)
    #: The cloud agrees that this window is not usual. Only such windows count as evidence for an alarm.
    confirmed = models.BooleanField(default=False)
    #: sensor name -> share of the deviation in [0, 1]: which sensor drove the verdict.
    drivers = models.JSONField(default=dict)
    #: What a person who looked into it found, by their name, and when; empty while nobody did.
    label = models.CharField(max_length=8, choices=Label.choices, blank=True, default="", db_default="")
    label_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    label_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot_id", "stream", "seq"], name="one_verdict_a_window")]
        indexes = [
            models.Index(fields=["robot_id", "-at"], name="verdict_of_robot"),
            models.Index(fields=["judged_at"], name="verdict_judged"),
        ]


class Usual(models.Model):
    """A robot's usual: summaries of its last cleared windows of one edge model, oldest first. See `windows/baseline.py`."""

    robot_id = models.CharField(max_length=64)
    edge_model = models.CharField(max_length=128)
    #: Sensor names in the order of each summary; another set of names starts from nothing.
    names = models.JSONField(default=list)
    #: List of summaries, each of shape (len(names), len(usual.STATISTICS)).
    summaries = models.JSONField(default=list)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot_id", "edge_model"], name="one_usual_a_model")]


class Cursor(models.Model):
    """How far a job has read in another database's table. Moves in the transaction that writes what was read."""

    name = models.CharField(max_length=64, primary_key=True)
    last_id = models.BigIntegerField(default=0)


class SecurityEvent(models.Model):
    """The same thing `times` times within about a second: who came, who was refused, who asked for what is not theirs.

    From the broker (`croody_contract.security`) or from one of our own APIs and pages. Never a secret.
    """

    at = models.DateTimeField(db_index=True)
    source = models.CharField(max_length=16)
    kind = models.CharField(max_length=24)
    #: Who it was; an IPv6 one as its /64, empty where nobody can tell.
    address = models.CharField(max_length=64)
    #: The name that was given, and whether there is such an account.
    account = models.CharField(max_length=80)
    known = models.BooleanField(default=False)
    #: Which wrong secret, as a code that says only whether two are the same.
    secret = models.CharField(max_length=16)
    topic = models.CharField(max_length=200)
    times = models.PositiveIntegerField(default=1)


class Incident(models.Model):
    """What one offender did, from its first sign to its last; two minutes without a sign end it. It has one alarm a team.

    Signs come from the broker, the APIs and packets.
    """

    class Offender(models.TextChoices):
        ADDRESS = "address"
        ACCOUNT = "account"

    class Said(models.TextChoices):
        """What a person found."""

        TRUE = "true"
        """Somebody tried to get in, or did what is not theirs."""
        FALSE = "false"
        """Nobody did: the detector was wrong."""
        BENIGN_HERE = "benign_here"
        """It happened, and is allowed at this place."""

    offender_kind = models.CharField(max_length=8, choices=Offender.choices)
    offender = models.CharField(max_length=80)
    #: Where an address means this machine: empty for what the server sees, else whose network it is.
    place = models.CharField(max_length=64, blank=True, default="", db_default="")
    #: The worst of what was seen: a code of `incidents.evidence`.
    worst = models.CharField(max_length=32)
    severity = models.CharField(max_length=16)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    #: code -> {"value", "limit", "seconds"}, and "most" where it is known what is ordinary: the highest that each counter stood.
    evidence = models.JSONField(default=dict)
    #: Robots that it concerns, and addresses or accounts beside the offender: names, bounded.
    robots = models.JSONField(default=list)
    beside = models.JSONField(default=list)
    #: Name of the packets around its first sign, where the sensor keeps them.
    capture = models.CharField(max_length=96, blank=True, default="", db_default="")
    #: What it was, said by a person, by their name, and when; empty while nobody did.
    verdict = models.CharField(max_length=12, choices=Said.choices, blank=True, default="", db_default="")
    verdict_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    verdict_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["offender_kind", "offender", "place"], condition=models.Q(ended_at=None), name="one_open_incident_an_offender"
            )
        ]
        indexes = [models.Index(fields=["-last_at"], name="incident_by_news")]


class Concern(models.Model):
    """A team whom an incident is about; without one, those who administer the server."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="concerns")
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE, related_name="+")
    #: Exceptions that kept some of it, or all, from this team's inbox: their numbers.
    held_by = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "organisation"], name="one_concern_a_team"),
            models.UniqueConstraint(fields=["incident"], condition=models.Q(organisation=None), name="one_concern_of_no_team"),
        ]
        indexes = [models.Index(fields=["organisation", "-incident"], name="concern_of_team")]


class IncidentException(models.Model):
    """One kind of evidence against one offender that a person called false, or allowed, until it expires. Counted, and in nobody's inbox.

    It holds for robots of one `site` or for one robot where it says so, and never for a counter above `most`.
    """

    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE, related_name="+")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.SET_NULL, related_name="exceptions")
    offender_kind = models.CharField(max_length=8, choices=Incident.Offender.choices)
    offender = models.CharField(max_length=80)
    #: A code of `incidents.evidence`.
    code = models.CharField(max_length=32)
    most = models.PositiveIntegerField()
    site = models.ForeignKey(Site, null=True, on_delete=models.CASCADE, related_name="+")
    robot_id = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=12, choices=Incident.Said.choices)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    by_name = models.CharField(max_length=150)
    #: Incidents of which it held evidence back, and when the last one was.
    hits = models.PositiveIntegerField(default=0)
    last_hit_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["offender_kind", "offender", "expires_at"], name="exception_of_offender"),
            models.Index(fields=["organisation", "-expires_at"], name="exception_of_team"),
        ]


class SiteCalibration(models.Model):
    """What is ordinary at a site, or on the network of one robot: maxima that `croody ids calibrate` measured. The newest is in force."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="calibrations")
    robot_id = models.CharField(max_length=64, blank=True, default="")
    #: When it was measured, and when it came here.
    made_at = models.DateTimeField()
    kept_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    #: Name of each capture -> its SHA-256.
    made_of = models.JSONField(default=dict)
    #: As `croody_contract.flows.limits.Maxima`.
    maxima = models.JSONField(default=dict)
    by_name = models.CharField(max_length=150)
    #: When a person said that it still holds, with what was new by then.
    confirmed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["site", "robot_id", "-id"], name="calibration_of_site")]


class SignTally(models.Model):
    """How much a source noticed in an hour, and how much of it was left out: at the source, or here while a flood was on."""

    hour = models.DateTimeField()
    source = models.CharField(max_length=16)
    noticed = models.PositiveBigIntegerField(default=0)
    left_out = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hour", "source"], name="one_tally_an_hour")]


class DeviceWindow(models.Model):
    """What the cloud made of a record `evidence` (`robot_id`, `stream`, `seq`): a device of a robot's network over ten seconds."""

    robot_id = models.CharField(max_length=64)
    stream = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    judged_at = models.DateTimeField()
    #: Which limits judged it on board.
    screen = models.CharField(max_length=128)
    device = models.CharField(max_length=128)
    suspect = models.BooleanField()
    sampled = models.BooleanField(default=False)
    #: Limits of the cloud that it goes beyond; and whether it counts as an attack: by these, or by an incident of the same address.
    kinds = models.JSONField(default=list)
    confirmed = models.BooleanField(default=False)
    #: Windows that were screened since the record before.
    cleared = models.BigIntegerField(default=0)
    suspected = models.BigIntegerField(default=0)
    #: Number of the team's own model that was in use, and its score (log-odds); null where none was.
    model = models.BigIntegerField(null=True)
    score = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["robot_id", "stream", "seq"], name="one_look_a_device_window")]
        indexes = [
            models.Index(fields=["model", "-judged_at"], name="device_window_of_model", condition=models.Q(model__isnull=False)),
            models.Index(fields=["robot_id", "-at"], name="device_window_of_robot"),
            models.Index(fields=["judged_at"], name="device_window_judged"),
        ]


class SiteModel(models.Model):
    """A model that a team trained of its own windows, as text, with the card that was signed. See `site_models.registry`."""

    class State(models.TextChoices):
        KEPT = "kept"
        """In no use."""
        SHADOW = "shadow"
        """It judges live windows, and nobody is told."""
        PROMOTED = "promoted"
        """What it suspects is evidence of an incident."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="site_models")
    made_at = models.DateTimeField()
    by_name = models.CharField(max_length=150)
    #: JSON as it was signed, byte for byte; the signature in hex.
    card = models.TextField()
    signature = models.CharField(max_length=128)
    text = models.TextField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.KEPT)
    state_at = models.DateTimeField()
    state_by = models.CharField(max_length=150, blank=True, default="")
    #: Why it was put back by the clock, or is refused: `why` is `rate`, `drift` or `refused`.
    reason = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation"], condition=~models.Q(state="kept"), name="one_site_model_in_use")]
