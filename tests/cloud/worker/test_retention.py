"""What is over goes in its time, and nothing that still holds."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from croody.accounts.models import OneTimeLogin, Organisation, Registering
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.commands.models import Outgoing
from croody.detection.models import Usual, Verdict
from croody.fleet import services
from croody.worker import retention

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def history(settings):
    settings.ENV = dataclasses.replace(settings.ENV, history_days=90)


def test_what_is_over_goes_and_what_holds_stays():
    old, young = NOW - timedelta(days=91), NOW - timedelta(days=89)
    robot, _ = services.add_robot("rover-1", organisation=Organisation.objects.create(name="Alice's", slug="alices"))
    user = User.objects.create_user("alice")
    for moment, key in ((old, "old"), (young, "young")):
        raise_alarm("rover-1", "gap", key, "medium", {}, moment - timedelta(days=400))
        resolve_alarm("rover-1", "gap", key, moment)
        Outgoing.objects.create(robot=robot, kind="resend", payload={}, expires_at=moment, next_at=moment)
        window = {"robot_id": "rover-1", "stream": f"stream-{key}", "seq": 1, "at": moment, "judged_at": moment}
        Verdict.objects.create(**window, edge_model="m", edge_score=0.5, suspect=False)
        Usual.objects.create(robot_id="rover-1", edge_model=key, updated_at=moment)
    raise_alarm("rover-1", "gap", "open", "medium", {}, old)
    for name, ends in (("over", NOW - timedelta(seconds=1)), ("in-use", NOW + timedelta(days=1))):
        Session.objects.create(session_key=name, session_data="", expire_date=ends)
    for name, ends in (("a", NOW - timedelta(days=8)), ("b", NOW - timedelta(days=6))):
        OneTimeLogin.objects.create(user=user, sha256=name, expires_at=ends)
    for moment in (NOW - timedelta(days=2), NOW):
        Registering.objects.create(address="127.0.0.1", at=moment)
    AccessAttempt.objects.create(username="x", ip_address="127.0.0.1", failures_since_start=1)
    AccessAttempt.objects.update(attempt_time=NOW - timedelta(days=31))

    retention.let_go(NOW)

    assert set(Alarm.objects.values_list("key", flat=True)) == {"young", "open"}
    assert Outgoing.objects.get().expires_at == young
    assert Verdict.objects.get().stream == "stream-young"
    assert Usual.objects.get().edge_model == "young"
    assert Session.objects.get().session_key == "in-use"
    assert OneTimeLogin.objects.get().sha256 == "b"
    assert Registering.objects.get().at == NOW
    assert not AccessAttempt.objects.exists()


def test_every_table_that_grows_without_telemetry_has_a_life():
    from django.apps import apps

    #: As many as there are robots, people, sites and so on, or bounded in another way.
    bounded = {
        "accounts.Organisation", "accounts.Membership", "accounts.Token", "fleet.Site", "fleet.Robot", "fleet.Credential",
        "fleet.NextCredential", "fleet.Vehicle",
        "liveness.Listening", "liveness.JobRun", "ids.Cursor", "auth.Permission", "auth.Group", "auth.User", "contenttypes.ContentType",
        "admin.LogEntry", "axes.AccessAttemptExpiration", "account.EmailAddress", "account.EmailConfirmation", "mfa.Authenticator",
        "accounts.ShownMail", "accounts.Preferences", "accounts.ProfilePicture",
        # Twenty a team.
        "ids.SiteModel",
        # As many as a claim says, and gone with it.
        "fleet.Enrolment",
        # At most 200 an alarm, and gone with it.
        "alarms.Act",
        # One a team, and gone with its incident; so many a site.
        "ids.Concern", "ids.SiteCalibration",
        # So many an organisation, and one a rule and robot.
        "notices.Rule", "notices.Channel", "notices.RuleState",
            # Ten a person; one.
            "notices.Browser", "notices.PushKey",
        # What a seller set up, a row a year, and what goes with a cart.
        "shop.Seller", "shop.Tax", "shop.Product", "shop.Coupon", "shop.ShippingRate", "shop.Numbering", "shop.CartLine",
        # Ten a person.
        "shop.SavedAddress",
        # Eight a product, in four files each.
        "shop.ProductPicture", "shop.PictureFile",
        # Written by hand; one a person.
        "site.Outage", "site.Leaving",
        # Books: kept as long as the law wants. How many a stranger makes of them is throttled, and so is what a provider tells of each.
        "shop.Order", "shop.OrderLine", "shop.OrderEvent", "shop.OrderMail", "shop.Payment", "shop.PaymentNotice", "shop.StockMove",
        "shop.SoldBoard",
        # So many a person, and who looks at a robot now: the page of that robot lets go of what is old.
        "console.Star", "console.SavedView", "console.Looking",
    }  # fmt: skip
    ours = {model._meta.label for model in apps.get_models() if model._meta.app_label != "telemetry"}
    living = {life.model._meta.label for life in retention.LIVES}
    assert ours - living - bounded == set()


@pytest.mark.django_db
def test_an_account_whose_address_nobody_confirmed_goes_after_a_week():
    from allauth.account.models import EmailAddress
    from django.contrib.auth.models import User

    def joined(name: str, days: int, *, verified: bool, used: bool = False) -> None:
        user = User.objects.create_user(name, f"{name}@example.org")
        User.objects.filter(pk=user.pk).update(date_joined=NOW - timedelta(days=days), last_login=NOW if used else None)
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)

    joined("forgotten", 8, verified=False)
    joined("young", 6, verified=False)
    joined("confirmed", 8, verified=True)
    joined("by-link", 8, verified=False, used=True)
    User.objects.filter(pk=User.objects.create_user("made-by-hand").pk).update(date_joined=NOW - timedelta(days=8))
    retention.let_go(NOW)
    assert set(User.objects.values_list("username", flat=True)) == {"young", "confirmed", "by-link", "made-by-hand"}
