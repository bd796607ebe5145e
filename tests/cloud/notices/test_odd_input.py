"""Whatever somebody writes into a rule or a channel, and whatever a robot sends to be judged by it: words, and never a failure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from croody.accounts.models import Membership, Organisation
from croody.alarms.models import Alarm
from croody.fleet import services as fleet
from croody.notices import grammar, jobs, spec
from croody.notices.models import Channel, Rule
from croody.notices.spec import BadRule
from tests.cloud.web.helpers import say

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NEW = "/console/rules/new/"
LARGEST = "1.7976931348623157e308"
#: What no field of a number takes.
NO_NUMBERS = (
    "nan", "NaN", "-nan", "inf", "-inf", "Infinity", "1e400", "-1e400", "9" * 400, "1,500", "1.500", "-1.500", "1.2.3", "1,2,3",
    "1e", "e5", "0x10", "1_000", "١٢", "\N{SUPERSCRIPT TWO}", "½", "true", "null", "[]", "{}", "1 2", "--1", "+-1", "1;2", "1\x00",
    "\ufeff1", "\x1b[2J",
    "\U0001f600", "'; DROP TABLE x; --", "{{ 1 }}", "%s", "%(value)s", "x" * 5000,
)  # fmt: skip
#: Numbers, that are too large, too small or no whole ones for a time.
NO_TIMES = ("-1", "1e9", "1e300", LARGEST, "90.5", "5e-324", "86401")
#: Names of metrics that nobody sends: they are names all the same.
NAMES = ("温度", "حرارة", "темп_c", "motor temp c", "a" * 64, "\U0001f600", "\u202etxt", "'; --", "%s", "{{ x }}", "constructor", "0", "Δ")
NO_NAMES = ("", " ", "a" * 65, "\x00", "t\x00")
RATE = {
    "kind": "rate",
    "name": "Sube",
    "metric": "temp_c",
    "side": "above",
    "limit": "2",
    "window_s": "60",
    "severity": "high",
    "enabled": "on",
}
KINDS: dict[str, dict[str, str]] = {
    "threshold": {"kind": "threshold", "metric": "temp_c", "limit": "80", "hysteresis": "1"},
    "absence": {"kind": "absence", "metric": "temp_c", "silence_s": "600"},
    "rate": RATE,
    "expression": {"kind": "expression", "expression": "temp_c > 1"},
    "fence": {"kind": "fence", "points": "0,0; 1,0; 1,1", "side": "outside"},
}
LANGUAGES = ("es", "en")
#: What is chosen of a list is wrong only where somebody sends a form of their own; it is told above the form.
CHOICES = {
    "side": ("sentido: elige por encima o por debajo", "direction: choose above or below"),
    "severity": ("gravedad: elige una de la lista", "severity: choose one of the list"),
    "site": ("sitio: elige uno de la lista", "site: choose one of the list"),
}


@pytest.fixture
def world(settings: Any) -> SimpleNamespace:
    settings.ROOT_URLCONF = "croody.serve.urls.web"
    team = Organisation.objects.create(name="Alice's", slug="alices")
    fleet.add_robot("rover-1", organisation=team)
    fleet.add_robot("rover-2", organisation=team)
    user = User.objects.create_user("marta")
    Membership.objects.create(user=user, organisation=team, role="maintainer")
    client = Client()
    client.force_login(user)
    return SimpleNamespace(team=team, client=client)


def wrong() -> Iterator[tuple[str, str]]:
    """A field of the rate-of-change rule and what it does not take."""
    for field in ("limit", "window_s", "for_s"):
        for value in NO_NUMBERS:
            yield field, value
    for field in ("window_s", "for_s"):
        for value in NO_TIMES:
            yield field, value
    for value in ("", "59", "0"):
        yield "window_s", value
    yield "limit", ""
    for value in NO_NAMES:
        yield "metric", value
    for field, value in product(("side", "severity"), ("beside", "\x00", "x" * 5000)):
        yield field, value
    for value in ("99999999999999999999", "-1", "1e3", "\x00", "x", "9" * 4000):
        yield "site", value
    for value in ("nobody", "\x00", "rover-1\x00", "x" * 5000, "ROVER-1"):
        yield "robot_id", value
    for value in ("", "\x00", "x" * 81):
        yield "name", value


@pytest.mark.parametrize(("language", "button"), [("es", {}), ("en", {"preview": "1"})], ids=["save", "preview"])
def test_what_a_change_rule_does_not_take_is_told_at_its_field_in_the_readers_language(
    world: SimpleNamespace, language: str, button: dict[str, str]
) -> None:
    for field, value in wrong():
        page = world.client.post(f"/{language}{NEW}", {**RATE, field: value, **button})
        text = page.content.decode()
        assert page.status_code == 422, (field, value)
        if field in CHOICES:
            assert CHOICES[field][LANGUAGES.index(language)] in text, (field, value)
        else:
            assert f'id="f-{field}-error"' in text, (field, value)
            assert f'<a href="#f-{field}">' in text, (field, value)
    assert not Rule.objects.exists()


def test_a_name_in_any_script_is_a_name_and_a_rule_about_what_nobody_sends_is_quiet(world: SimpleNamespace) -> None:
    for name in NAMES:
        Rule.objects.all().delete()
        for button in ({"preview": "1"}, {}):
            assert world.client.post(NEW, {**RATE, "metric": name, **button}).status_code in {200, 303}, name
        assert Rule.objects.get().params["metric"] == name
        say("rover-1", 1, {"temp_c": 1.0}, now=NOW)
        jobs.judge_rules(NOW)
        for language in LANGUAGES:
            assert world.client.get(f"/{language}/console/rules/").status_code == 200
            assert world.client.get(f"/{language}/console/rules/{Rule.objects.get().pk}/").status_code == 200
    assert not Alarm.objects.exists()


def test_a_change_beyond_every_number_is_judged_and_costs_no_other_rule_or_robot_its_turn(world: SimpleNamespace) -> None:
    for limit, side in (("2", "above"), ("-2", "below"), (LARGEST, "above")):
        assert world.client.post(NEW, {**RATE, "limit": limit, "side": side}).status_code == 303
    fleet.add_robot("rover-3", organisation=world.team)
    for seq, (sign, value) in enumerate(((-1.0, 10.0), (1.0, 20.0), (-1.0, 30.0)), start=1):
        at = NOW + timedelta(seconds=61 * seq)
        say("rover-1", seq + (seq > 1), {"temp_c": sign * 9e149}, now=at)
        say("rover-3", seq + (seq > 1), {"temp_c": sign * 1.7e308}, now=at)
        say("rover-2", seq + (seq > 1), {"temp_c": value}, now=at)
        jobs.judge_rules(at)
    raised = {(alarm.robot_id, alarm.key) for alarm in Alarm.objects.filter(kind="rule")}
    first, _second, _third = Rule.objects.order_by("pk").values_list("pk", flat=True)
    assert ("rover-2", str(first)) in raised
    assert ("rover-1", str(first)) in raised
    assert "rover-3" not in {robot_id for robot_id, _key in raised}, "what no sum holds is not known"
    for language in LANGUAGES:
        assert world.client.get(f"/{language}/console/rules/").status_code == 200
        assert world.client.get(f"/{language}/console/alerts/").status_code == 200
        assert world.client.get(f"/{language}/console/robots/rover-1/").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_form_of_a_rule_ever_fails(world: SimpleNamespace, kind: str, data: st.DataObject) -> None:
    sent = {"name": "R", "severity": "low", "for_s": "0", **KINDS[kind]}
    odd = st.one_of(st.text(max_size=40), st.sampled_from(NO_NUMBERS + NO_TIMES + NAMES), st.floats().map(repr), st.integers().map(str))
    for field in data.draw(st.sets(st.sampled_from([*sent, "site", "robot_id"]), min_size=1, max_size=3)):
        sent[field] = data.draw(odd)
    sent |= data.draw(st.sampled_from([{}, {"preview": "1"}]))
    page = world.client.post(
        f"/{data.draw(st.sampled_from(LANGUAGES))}{NEW}", {name: value.encode("utf-8", "replace").decode() for name, value in sent.items()}
    )
    assert page.status_code in {200, 303, 422}
    jobs.judge_rules(NOW)
    assert world.client.get("/console/rules/").status_code == 200
    Rule.objects.all().delete()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_form_of_a_channel_ever_fails(world: SimpleNamespace, data: st.DataObject) -> None:
    sent = {"kind": "webhook", "name": "C", "target": "https://example.com/x", "severity": "low", "after_min": "0", "time_zone": "UTC"}
    sent["kind"] = data.draw(st.sampled_from(["webhook", "mail", "apprise"]))
    hosts = st.sampled_from(
        ["http://[", "https://[::1", "https://a b/", "https://x:99999/", "https://\u2024\u2024/", "https://xn--/", "//", "json://[::"]
    )
    odd = st.one_of(
        st.text(max_size=40), st.sampled_from(NO_NUMBERS + NO_TIMES), hosts, st.text(max_size=20).map(lambda text: f"https://{text}")
    )
    for field in data.draw(st.sets(st.sampled_from([*sent, "quiet_from", "quiet_to", "language"]), min_size=1, max_size=3)):
        sent[field] = data.draw(odd)
    page = world.client.post(
        "/console/rules/channels/new/", {name: value.encode("utf-8", "replace").decode() for name, value in sent.items()}
    )
    assert page.status_code in {200, 303, 422}
    assert world.client.get("/console/rules/").status_code == 200
    Channel.objects.all().delete()


@pytest.mark.parametrize("text", ["temp_c > 1e400", "temp_c < -1e999", "temp_c > 1 and temp_c < 9" + "9" * 290])
def test_a_number_beyond_every_float_is_none_in_an_expression(text: str) -> None:
    with pytest.raises(grammar.BadExpression):
        grammar.parse(text)


def test_a_limit_whose_end_lies_beyond_every_float_is_refused() -> None:
    with pytest.raises(BadRule) as refused:
        spec.read("threshold", {"metric": "t", "limit": f"-{LARGEST}", "hysteresis": LARGEST}, typed=True)
    assert refused.value.field == "hysteresis"
