"""What people say of incidents: exceptions that hide what was looked at and nothing else, calibrations, and the detector's own state."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from croody.accounts import tokens
from croody.accounts.models import Organisation, Token
from croody.alarms.models import Alarm
from croody.audit.actor import SYSTEM
from croody.audit.models import Entry
from croody.detection.incidents import exceptions, jobs, signs, verdicts
from croody.detection.models import Incident, IncidentException, SignTally, SiteCalibration
from croody.fleet import services
from croody.fleet.models import Robot, Site
from croody.liveness.models import JobRun
from croody_contract.security import Kind, Noticed, Report

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime.now(UTC)
STRANGER = "203.0.113.9"


@pytest.fixture
def team(people: SimpleNamespace) -> SimpleNamespace:
    """Alice's, with rover-1 at a site; Carlos's robot is another team's."""
    site = Site.objects.create(organisation=people.organisation, name="Bodega", slug="bodega")
    Robot.objects.filter(pk="rover-1").update(site=site)
    theirs = Organisation.objects.create(name="Carlos's", slug="carlos")
    theirs.memberships.create(user=people.carlos, role="owner")
    services.add_robot("carlos-1", organisation=theirs)
    return SimpleNamespace(**vars(people), site=site, theirs=theirs)


def key(user, *, scopes=tuple(Token.Scope)):
    return tokens.make_personal(user, "key", scopes=list(scopes), days=1, now=datetime.now(UTC), actor=SYSTEM)[1]


def caller(user):
    from croody.accounts.caller import of_user

    return of_user(user)


def guess(account="rover-1", *, times=8, now=NOW, address=STRANGER):
    wrong = [Noticed(Kind.WRONG_SECRET, address, account, known=True, secret=f"{number:x}") for number in range(times)]
    signs.write("broker", [Report(wrong)], now)
    jobs.find_incidents(now)


def scan(*, now=NOW):
    signs.write("web", [Report([Noticed(Kind.MISSING, STRANGER, topic=f"/{number}") for number in range(40)])], now)


def opened():
    return Alarm.objects.filter(kind="intrusion", resolved_at=None)


def later(minutes):
    return NOW + timedelta(minutes=minutes)


def say(user, said, now=NOW, **options):
    return verdicts.say(caller(user), Incident.objects.latest("pk").pk, said, actor=SYSTEM, now=now, **options)


def test_what_is_benign_here_is_counted_and_raises_no_alarm_again(team):
    guess()
    say(team.alice, "benign_here")
    assert not opened().exists(), "its alarm is closed"
    made = IncidentException.objects.get()
    assert (made.code, made.offender, made.site, made.most, made.hits) == ("guessing", STRANGER, team.site, 16, 0)
    guess(now=later(10))
    assert Incident.objects.count() == 2, "it is an incident all the same"
    assert not opened().exists()
    made.refresh_from_db()
    assert (made.hits, made.last_hit_at) == (1, later(10))


def test_an_exception_hides_no_other_kind_no_other_offender_and_nothing_much_larger(team):
    guess()
    say(team.alice, "false")
    scan(now=later(10))
    guess(now=later(10))
    assert [alarm.detail["worst"] for alarm in opened()] == ["scanning"], "of two kinds the other one is told"
    guess(now=later(20), address="203.0.113.10")
    assert [alarm.detail["offender"] for alarm in opened().order_by("-pk")] == ["203.0.113.10", STRANGER]
    Alarm.objects.all().delete()
    guess(now=later(30), times=17)
    assert [alarm.detail["worst"] for alarm in opened()] == ["guessing"], "twice as many as were looked at are told again"


def test_an_exception_of_one_team_hides_nothing_from_another(team):
    guess()
    say(team.alice, "false", scope="team")
    guess("carlos-1", now=later(10))
    assert [alarm.organisation for alarm in opened()] == [team.theirs]


def test_an_exception_of_a_site_holds_at_that_site_alone(team):
    guess()
    say(team.alice, "benign_here", scope="site")
    other = Site.objects.create(organisation=team.organisation, name="Other", slug="other")
    Robot.objects.filter(pk="rover-1").update(site=other)
    guess(now=later(10))
    assert opened().count() == 1


def test_an_exception_ends_by_itself_by_hand_and_by_another_word(team):
    guess()
    say(team.alice, "false", days=1)
    guess(now=NOW + timedelta(days=2))
    assert opened().count() == 1, "it has expired"
    say(team.alice, "false", now=NOW + timedelta(days=2))
    number = IncidentException.objects.latest("pk").pk
    exceptions.end(caller(team.alice), number, actor=SYSTEM, now=NOW + timedelta(days=2, minutes=5))
    guess(now=NOW + timedelta(days=2, minutes=10))
    assert opened().count() == 1, "somebody ended it"
    say(team.alice, "false", now=NOW + timedelta(days=2, minutes=10))
    say(team.alice, "true", now=NOW + timedelta(days=2, minutes=11))
    guess(now=NOW + timedelta(days=2, minutes=20))
    assert opened().count() == 1, "it was a true one after all"
    assert {entry.verb for entry in Entry.objects.filter(thing__in=("incident", "incident_exception"))} == {"verdict", "end"}


def test_who_may_only_look_says_nothing_and_strangers_know_of_nothing(team, make_client):
    guess()
    client, number = make_client(token="t" * 40), Incident.objects.get().pk
    address = f"/api/ids/incidents/{number}/verdict"
    answers = {
        name: client.post(address, '{"verdict": "false"}', content_type="application/json", HTTP_X_API_KEY=key(user)).status_code
        for name, user in {"bob": team.bob, "carlos": team.carlos}.items()
    }
    assert answers == {"bob": 403, "carlos": 404}
    narrow = key(team.alice, scopes=(Token.Scope.READ,))
    assert client.post(address, '{"verdict": "false"}', content_type="application/json", HTTP_X_API_KEY=narrow).status_code == 403
    assert not IncidentException.objects.exists()


def test_incidents_are_paged_filtered_and_name_no_robot_of_another_team(team, make_client):
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
        guess(address=address)
    signs.write("broker", [Report([Noticed(Kind.WRONG_SECRET, "203.0.113.3", "carlos-1", known=True, secret="a")])], later(1))
    jobs.find_incidents(later(1))
    client = make_client(token="t" * 40)

    def get(query="", user=team.alice):
        return client.get(f"/api/ids/incidents?{query}", HTTP_X_API_KEY=key(user)).json()

    first = get("limit=2")
    assert [one["offender"] for one in first["incidents"]] == ["203.0.113.3", "203.0.113.2"]
    assert [one["offender"] for one in get(f"limit=2&before={first['next']}")["incidents"]] == ["203.0.113.1"]
    assert get("offender=203.0.113.2")["incidents"][0]["evidence"][0] == {
        "kind": "guessing", "value": 8, "limit": 6, "seconds": 60, "ordinary_most": None, "technique": "T1110.001"
    }  # fmt: skip
    assert get("severity=low")["incidents"] == get("verdict=true")["incidents"] == get("kind=keys")["incidents"] == []
    assert client.get("/api/ids/incidents?limit=201", HTTP_X_API_KEY=key(team.alice)).status_code == 422
    assert first["incidents"][0]["robots"] == first["incidents"][0]["beside"] == ["rover-1"]


def test_a_verdict_that_cannot_be_is_refused_with_the_rule(team, make_client):
    guess()
    client, number = make_client(token="t" * 40), Incident.objects.get().pk
    for body, named in (
        ('{"verdict": "maybe"}', "verdict"),
        ('{"verdict": "false", "days": 91}', "days"),
        ('{"verdict": "false", "scope": "galaxy"}', "scope"),
        ('{"verdict": "false", "why": 1}', "why"),
    ):
        answer = client.post(f"/api/ids/incidents/{number}/verdict", body, content_type="application/json", HTTP_X_API_KEY=key(team.alice))
        assert answer.status_code == 422
        assert named in answer.json()["detail"]


CALIBRATION = {
    "version": 1,
    "made_at": "2026-11-01T00:00:00+00:00",
    "made_of": {"a.pcap": "sha256:00"},
    "maxima": {"failed_ports": {"10": 40}},
}


def put(client, user, body, query="site=bodega"):
    return client.post(f"/api/ids/profile?{query}", json.dumps(body), content_type="application/json", HTTP_X_API_KEY=key(user))


def test_a_calibration_is_kept_with_date_and_hash_and_says_what_limits_follow(team, make_client):
    client = make_client(token="t" * 40)
    assert put(client, team.bob, CALIBRATION).status_code == 403
    assert put(client, team.carlos, CALIBRATION).status_code == 404
    kept = put(client, team.alice, CALIBRATION)
    assert kept.status_code == 201, kept.content
    (profile,) = client.get("/api/ids/profile", HTTP_X_API_KEY=key(team.bob)).json()["profiles"]
    assert (profile["sha256"], profile["made_of"]) == (kept.json()["sha256"], {"a.pcap": "sha256:00"})
    limits = {limit["kind"]: (limit["ordinary_most"], limit["limit"]) for limit in profile["limits"]}
    assert (limits["port_scan"], limits["host_scan"]) == ((40, 81), (0, 6))
    assert client.get("/api/ids/profile", HTTP_X_API_KEY=key(team.carlos)).json()["profiles"] == []


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"maxima": {"failed_ports": {"10": -1}}}, {"maxima": {"odd": {"10": 1}}}, {"made_at": "2099-01-01T00:00:00+00:00"},
     {"made_at": "yesterday"}, {"maxima": 3}, {"maxima": {"failed_ports": {"10": 1e300}}}],
)  # fmt: skip
def test_a_damaged_calibration_is_refused_with_a_sentence(team, make_client, change):
    answer = put(make_client(token="t" * 40), team.alice, CALIBRATION | change)
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) > 20
    assert not SiteCalibration.objects.exists()


def test_a_robot_that_is_newer_than_the_calibration_is_named_until_somebody_confirms(team, make_client):
    from croody.detection.incidents import calibrations

    client = make_client(token="t" * 40)
    number = put(client, team.alice, CALIBRATION).json()["id"]
    services.add_robot("rover-2", organisation=team.organisation, site=team.site)
    when = datetime.now(UTC)
    (found,) = calibrations.in_force(caller(team.alice), when, 10)
    assert (found.newer, found.old, found.doubtful) == (("rover-2",), False, True)
    assert calibrations.in_force(caller(team.alice), when + timedelta(days=91), 10)[0].old
    calibrations.confirm(caller(team.alice), number, actor=SYSTEM, now=when)
    assert not calibrations.in_force(caller(team.alice), when, 10)[0].doubtful
    assert Entry.objects.get(thing="calibration", verb="confirm").before["newer"] == ["rover-2"]


def test_a_command_confirms_with_one_act_what_is_new_at_a_site_and_says_where_nothing_was_measured(team, make_client):
    from croody.detection.incidents import calibrations

    with pytest.raises(CommandError, match="bodega: nothing was measured there"):
        call_command("ids", "confirm", "--site", "bodega")
    put(make_client(token="t" * 40), team.alice, CALIBRATION)
    services.add_robot("rover-2", organisation=team.organisation, site=team.site)
    out = StringIO()
    call_command("ids", "confirm", "--site", "bodega", stdout=out)
    assert "bodega" in out.getvalue()
    assert "rover-2" in out.getvalue()
    assert not calibrations.in_force(caller(team.alice), datetime.now(UTC), 10)[0].doubtful
    assert Entry.objects.get(thing="calibration", verb="confirm").before["newer"] == ["rover-2"]
    with pytest.raises(CommandError, match="rover-1"):
        call_command("ids", "confirm", "--site", "bodega", "--robot", "rover-1")


def test_the_detector_says_whether_it_is_well_and_what_it_left_out(team, make_client):
    for name in ("find_incidents", "score_windows"):
        JobRun.objects.create(name=name, period_s=2, ended_at=datetime.now(UTC), noted_at=datetime.now(UTC))
    signs.write("broker", [Report([Noticed(Kind.MALFORMED, STRANGER, times=5)], left_out=7)], datetime.now(UTC))
    guess(now=datetime.now(UTC))
    say(team.alice, "false")
    client = make_client(token="t" * 40)
    told = client.get("/api/ids/quality", HTTP_X_API_KEY=key(team.bob)).json()
    assert told["well"] is True
    assert [(source["name"], source["noticed"], source["left_out"]) for source in told["sources"]] == [("broker", 20, 7)]
    assert (told["judged"]["incidents"], told["judged"]["false"], told["judged"]["wrong"]["share"]) == (1, 1, 1.0)
    JobRun.objects.filter(name="find_incidents").update(failures=3, error="OperationalError: away")
    told = client.get("/api/ids/quality", HTTP_X_API_KEY=key(team.bob)).json()
    assert (told["well"], told["jobs"][0]["error"]) == (False, "OperationalError: away")
    assert SignTally.objects.count() == 1
