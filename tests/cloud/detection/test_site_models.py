"""Models that a site trains: honest of what they had not seen, this site's own or refused, silent in the shadow, promoted by a person."""

import dataclasses
import json
import random
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from croody.accounts import tokens
from croody.accounts.models import Organisation, Token
from croody.alarms.models import Alarm
from croody.audit.actor import SYSTEM, Actor
from croody.audit.models import Entry
from croody.console.detection.model_words import measured
from croody.detection.evaluation.score import Interval, Told
from croody.detection.models import DeviceWindow, Incident, SiteModel
from croody.detection.network import jobs
from croody.detection.site_models import figures, fit, lab, labelled_windows, registry, signing, verbs
from croody.detection.site_models.jobs import watch_models
from croody.detection.site_models.kinds import MODEL_RETURNED
from croody.detection.site_models.refusal import Refused
from croody.detection.site_models.rows import FEATURES, Labelled, vector
from croody.telemetry.ingest import services as ingest
from croody_contract.messages import Born, Evidence, encode
from croody_contract.relay import BatchItem, Relay
from croody_edge.sim.lab import session, store
from croody_edge.sim.lab.scenario import read

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
ALICE = Actor("person", name="alice")
#: No rule reaches it: connections, one after the other, that nobody counts as a scan.
QUIET = {"10": {"connects": 90, "packets": 900}, "60": {"connects": 190, "packets": 4_000}}
ORDINARY = {"10": {"connects": 2, "packets": 300}, "60": {"connects": 9, "packets": 1_900}}


def labelled(seed: int = 1, groups: int = 4) -> list[Labelled]:
    """Windows of sites whose ordinary traffic differs; attacks of two families, of which the rules know one."""
    dice, made = random.Random(seed), []
    for group in range(groups):
        for number in range(260):
            attack = number % 10 == 0
            known = attack and number % 20 == 0
            scale = dice.uniform(0.7, 1.3)
            base = QUIET if attack else ORDINARY
            windows = {seconds: {name: int(value * scale) for name, value in its.items()} for seconds, its in base.items()}
            if known:
                windows["10"]["failed_ports"] = dice.randrange(40, 200)
            family = ("discovery" if known else "impact") if attack else ""
            at = group * 10_000 + number * 10.0
            name = f"training-{group}-1"
            made.append(Labelled(vector(windows, None), attack, f"lab {group}", family, "lab", known, name, f"10.0.0.{number}", at))
    return made


def sessions_of(windows: list[Labelled]) -> list[lab.Session]:
    """The rules name what they suspect, as soon as it is."""
    made = []
    for name in sorted({one.session for one in windows}):
        attacks = [one for one in windows if one.session == name and one.attack]
        intervals = tuple(Interval("a", one.family, "T1", (one.device,), False, one.at - 5, one.at + 5) for one in attacks)
        seen = tuple(Told(one.at, one.device, "port_scan") for one in attacks if one.rules)
        made.append(lab.Session(name, 0.75, intervals, seen))
    return made


@pytest.fixture(scope="module")
def fitted() -> fit.Fitted:
    windows = labelled()
    return fit.fit(windows, sessions_of(windows), 1)


def test_what_is_published_is_of_groups_that_were_left_out(fitted: fit.Fitted):
    told_ = fitted.report
    assert told_["folds"] == 4
    assert told_["windows"] == {"lab": {"windows": 1040, "attacks": 104, "groups": 4}}
    assert told_["held_out"]["attacks"] == {"both": 52, "only_rules": 0, "only_model": 52, "neither": 0}
    assert sum(told_["held_out"]["ordinary"].values()) == 936
    assert told_["held_out"]["ordinary"]["only_model"] <= 20
    assert told_["families_left_out"]["impact"]["windows"] == 52
    assert (told_["sessions"]["attacks"], told_["sessions"]["named"], told_["sessions"]["named_with_model"]) == (104, 52, 104)
    assert sum(fitted.reference) == 936


def test_a_threshold_that_was_chosen_on_too_few_folds_says_so_on_the_card(fitted: fit.Fitted):
    assert (fitted.report["folds"], fitted.report["few_folds"]) == (4, True)
    said: list[str] = []
    row = SiteModel(pk=1, made_at=NOW, state="kept", organisation=Organisation(slug="alices"))
    verbs._told(row, card(fitted), said.append)
    few = "Su umbral se eligió con 4 partes de los datos, no con 5: puede quedar lejos de lo que promete."
    assert few in said
    assert few in measured(card(fitted), "es")
    windows = labelled(groups=6)
    report = fit.fit(windows, sessions_of(windows), 1).report
    assert (report["folds"], report["few_folds"], fit.few_folds(report["folds"])) == (5, False, "")


def test_labels_that_mean_nothing_add_nothing():
    dice, windows = random.Random(3), []
    for one in labelled(2):
        attack = dice.random() < 0.1
        windows.append(dataclasses.replace(one, attack=attack, family="impact" if attack else "", rules=False))
    report = fit.fit(windows, sessions_of(windows), 1).report
    assert report["held_out"]["attacks"]["only_model"] < 0.2 * report["windows"]["lab"]["attacks"]
    assert report["adds"] is False


def test_the_same_windows_and_seed_make_the_same_model(fitted: fit.Fitted):
    windows = labelled()
    again = fit.fit(windows, sessions_of(windows), 1)
    assert (again.text, again.threshold) == (fitted.text, fitted.threshold)


def test_so_little_that_no_figure_would_say_anything_is_refused():
    with pytest.raises(fit.TooLittle, match=r"26 windows of attacks in 1 groups and 234 ordinary ones.*croody-sim attack"):
        fit.fit(labelled(groups=1), [], 1)


def test_a_feature_is_a_counter_against_the_most_that_is_ordinary_and_never_an_address():
    found = dict(zip(FEATURES, vector({"10": {"connects": 7}}, {"connects": {"10": 3}}), strict=True))
    assert (found["connects/10"], found["connects/60"], found["packets/10"]) == (1.0, 0.0, 0.0)
    assert vector({"10": {"connects": 7, "of_tomorrow": 9}}, None, ["connects/10"]) == (3.0,)


def test_scores_that_moved_are_drift_and_scores_that_did_not_are_none():
    assert figures.psi([100, 100, 100], [40, 40, 40]) < 0.001
    assert figures.psi([100, 100, 100], [10, 10, 100]) > figures.MOST_DRIFT


def test_a_session_of_the_laboratory_is_labelled_by_who_did_what_when(tmp_path: Path):
    text = 'name = "{name}"\nseed = 1\nseconds = {seconds}\nrobots = [2, 2]\nquiet_s = [20, 20]\n[everyday]\nrobot = 1\n{more}'
    attack = '[[attack]]\nkind = "syn_scan"\nby = "stranger-1"\n'
    for name, take, seconds, more in (("training", 1, 100, attack), ("everyday", 0, 250, "")):
        made, frames = session.on_wire(read(text.format(name=name, seconds=seconds, more=more), name, take=take))
        store.write(made, frames, tmp_path)
    found = lab.read(tmp_path, 1)
    (seen,) = found.sessions
    attacks = [one for one in found.windows if one.attack]
    assert {one.device for one in attacks} <= set(seen.intervals[0].addresses)
    assert {one.family for one in attacks} == {"discovery"}
    assert any(one.rules for one in attacks)
    assert {one.group for one in found.windows} == {"lab 1"}
    assert sum(not one.attack for one in found.windows) > 10
    assert set(found.made_of) == {"everyday-1-0.pcap", "training-1-1.pcap"}
    calm = lab.benign([tmp_path / "everyday-1-0.pcap"], None, 1)
    assert calm.windows
    assert not any(one.attack or one.rules for one in calm.windows)


# What follows has a database.


def card(fitted: fit.Fitted) -> dict[str, Any]:
    return verbs._card(fitted, [], {}, NOW, NOW, 1)


@pytest.fixture
def kept(people: SimpleNamespace, fitted: fit.Fitted, settings: Any, tmp_path: Path) -> SiteModel:
    settings.ENV = dataclasses.replace(settings.ENV, state_dir=tmp_path, secret_key="a secret of this site, long enough")
    return registry.keep(people.organisation, card(fitted), fitted.text, actor=ALICE, now=NOW)


pytestmark = pytest.mark.django_db(databases="__all__")


def test_a_model_is_this_sites_own_and_whole_or_refused(kept: SiteModel, settings: Any):
    assert registry.card_of(kept)["seed"] == 1
    kept.text += " "
    with pytest.raises(Refused, match="está dañado: su SHA-256"):
        registry.card_of(kept)
    kept.refresh_from_db()
    kept.card = kept.card.replace('"seed": 1', '"seed": 2')
    with pytest.raises(Refused, match="lo firmó otro sitio, o cambió desde entonces"):
        registry.card_of(kept)
    kept.refresh_from_db()
    kept.organisation = Organisation.objects.create(name="Otra", slug="otra")
    with pytest.raises(Refused, match="es de la organización alices, no de otra"):
        registry.card_of(kept)
    kept.refresh_from_db()
    signing.public_file().unlink()
    with pytest.raises(Refused, match=r"models\.pub: no se puede leer"):
        registry.card_of(kept)
    settings.ENV = dataclasses.replace(settings.ENV, secret_key="a secret of another site, as long")
    signing.sign(b"another model")
    with pytest.raises(Refused, match="otro sitio"):
        registry.card_of(kept)
    settings.ENV = dataclasses.replace(settings.ENV, secret_key="")
    with pytest.raises(Refused, match="no tiene SECRET_KEY"):
        signing.sign(b"a model")


def test_twenty_of_a_team_are_kept_and_the_one_in_use_among_them(kept: SiteModel, people: SimpleNamespace, fitted: fit.Fitted):
    registry.put_by_command(kept, "shadow", actor=ALICE, now=NOW)
    for _ in range(registry.MOST + 1):
        last = registry.keep(people.organisation, card(fitted), fitted.text, actor=ALICE, now=NOW)
    numbers = set(SiteModel.objects.values_list("pk", flat=True))
    assert {kept.pk, last.pk} < numbers
    assert len(numbers) == registry.MOST + 1


class Stream:
    """Puts records into a stream of rover-1, as the bridge does, and judges them."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, *windows: dict[str, Any], now: datetime = NOW, **given: Any) -> list[DeviceWindow]:
        self.number += 1
        stream = f"a-stream-{self.number}"
        usual = {"device": "10.0.0.7", "screen": "limits-1", "suspect": False, "sampled": True, "ts": now, "cleared": 9}
        records = [Born(agent="croody-edge 1.0"), *(Evidence(windows=one, **(usual | given)) for one in windows)]
        ingest.ingest_relay(Relay(batches=[BatchItem("rover-1", stream, 1, [msgspec.Raw(encode(one)) for one in records])]), now=now)
        jobs.judge_networks(now)
        return list(DeviceWindow.objects.filter(stream=stream).order_by("seq"))


@pytest.fixture
def stream() -> Stream:
    return Stream()


def test_in_the_shadow_it_judges_live_windows_and_tells_nobody(kept: SiteModel, stream: Stream):
    assert stream(ORDINARY)[0].score is None, "in no use"
    registry.put_by_command(kept, "shadow", actor=ALICE, now=NOW)
    scan = {**ORDINARY, "10": {"failed_ports": 40, **QUIET["10"]}}
    calm, odd, both, rules = stream(ORDINARY, QUIET, scan, {"10": {"failed_ports": 40, **ORDINARY["10"]}})
    threshold = figures.threshold_of(kept)
    assert threshold is not None
    assert [one.score > threshold for one in (calm, odd, both)] == [False, True, True]
    assert rules.model == kept.pk
    (day,) = figures.days(kept, NOW)
    assert (day.day, day.windows, day.only_model, day.both + day.only_rules) == (NOW.date(), 4, 1, 2)
    assert not Incident.objects.exists()
    assert not Alarm.objects.exists()


def test_a_damaged_model_has_no_opinion_and_rules_go_on(kept: SiteModel, stream: Stream):
    registry.put_by_command(kept, "shadow", actor=ALICE, now=NOW)
    SiteModel.objects.update(text="tree")
    (one,) = stream({"10": {"failed_ports": 40}}, suspect=True, sampled=False, kinds=["port_scan"])
    assert (one.score, one.kinds) == (None, ["port_scan"])
    assert Incident.objects.get().worst == "port_scan"
    kept.refresh_from_db()
    assert kept.reason["why"] == "refused"
    assert "dañado" in kept.reason["said"]


def seen(model: SiteModel, count: int, score: float, now: datetime = NOW) -> None:
    """So many cleared windows that it judged."""
    common = {
        "robot_id": "rover-1",
        "stream": f"seen-{score}-{now:%d}",
        "at": now,
        "judged_at": now,
        "screen": "limits",
        "device": "10.0.0.7",
    }
    DeviceWindow.objects.bulk_create(
        DeviceWindow(**common, seq=n, suspect=False, sampled=True, model=model.pk, score=score) for n in range(count)
    )


def promoted(model: SiteModel) -> SiteModel:
    return registry.put_by_command(registry.put_by_command(model, "shadow", actor=ALICE, now=NOW), "promoted", actor=ALICE, now=NOW)


def seen_as_in_training(model: SiteModel) -> None:
    told_ = registry.card_of(model)
    edges, reference = told_["edges"], told_["reference"]
    for count, score in zip(reference, [*edges, edges[-1] + 0.001], strict=True):
        seen(model, count * 300 // sum(reference) + 1, score)


def test_a_person_promotes_what_was_seen_in_the_shadow_on_windows_like_those_of_training(kept: SiteModel):
    with pytest.raises(Refused, match="no está en la sombra"):
        registry.put_by_command(kept, "promoted", actor=ALICE, now=NOW)
    seen(kept, 20, 0.0)
    with pytest.raises(Refused, match="juzgó 20 ventanas en la sombra y hacen falta 200"):
        promoted(kept)
    seen(kept, 230, -90.0)
    with pytest.raises(Refused, match=r"no son aquellos para los que se hizo \(PSI"):
        promoted(kept)
    DeviceWindow.objects.all().delete()
    seen_as_in_training(kept)
    assert promoted(kept).state == "promoted"
    assert list(Entry.objects.filter(thing="model").order_by("pk").values_list("verb", "name"))[-1] == ("promote", "alice")


def test_promoted_what_it_alone_suspects_is_an_incident_below_every_rule(kept: SiteModel, stream: Stream):
    seen_as_in_training(kept)
    promoted(kept)
    stream(QUIET)
    (incident,), (alarm,) = Incident.objects.all(), Alarm.objects.all()
    assert (incident.worst, incident.severity, alarm.severity) == ("lookalike", "low", "low")
    stream({"10": {"failed_ports": 40, **QUIET["10"]}, "60": QUIET["60"]}, suspect=True, sampled=False, kinds=["port_scan"])
    incident.refresh_from_db()
    assert (incident.worst, incident.severity, set(incident.evidence)) == ("port_scan", "high", {"port_scan", "lookalike"})
    assert not DeviceWindow.objects.filter(confirmed=True, kinds=[]).exists(), "its own word is no label"


def test_too_many_incidents_of_its_own_put_it_back_with_the_reason(kept: SiteModel, stream: Stream):
    seen_as_in_training(kept)
    promoted(kept)
    watch_models(NOW)
    kept.refresh_from_db()
    assert kept.state == "promoted"
    for number in range(figures.MOST_ALONE + 1):
        stream(QUIET, device=f"10.0.1.{number}", now=NOW + timedelta(minutes=number))
    watch_models(NOW + timedelta(hours=1))
    kept.refresh_from_db()
    assert (kept.state, kept.reason) == ("shadow", {"why": "rate", "value": 13, "limit": 12})
    assert Entry.objects.filter(thing="model", kind="system", verb="shadow").exists()
    alarm = Alarm.objects.get(kind="model_returned")
    assert (alarm.organisation, alarm.robot_id, alarm.resolved_at) == (kept.organisation, "", None)
    sentence = MODEL_RETURNED.sentence(alarm.detail, "es")
    assert "Volvió solo a la sombra: 13 incidentes que solo decía él en 24 h, límite 12." in sentence
    incidents = Incident.objects.count()
    stream(QUIET, device="10.0.9.9", now=NOW + timedelta(hours=1))
    assert Incident.objects.count() == incidents


def test_scores_that_moved_put_it_back_with_the_reason(kept: SiteModel):
    seen_as_in_training(kept)
    promoted(kept)
    later = NOW + timedelta(days=8)
    seen(kept, 250, -90.0, later)
    watch_models(later)
    kept.refresh_from_db()
    assert (kept.state, kept.reason["why"], kept.reason["limit"]) == ("shadow", "drift", 0.25)
    assert Alarm.objects.get(kind="model_returned", resolved_at=None).detail["why"] == "drift"


def test_the_alarm_of_a_model_that_returned_ends_when_a_person_says_how_one_is_used(kept: SiteModel):
    seen_as_in_training(kept)
    promoted(kept)
    later = NOW + timedelta(days=8)
    seen(kept, 250, -90.0, later)
    for _ in range(2):
        watch_models(later)
    (alarm,) = Alarm.objects.filter(kind="model_returned")
    assert (alarm.count, alarm.resolved_at) == (1, None)
    kept.refresh_from_db()
    registry.put_by_command(kept, "kept", actor=ALICE, now=later + timedelta(hours=1))
    alarm.refresh_from_db()
    assert alarm.resolved_at == later + timedelta(hours=1)


def test_a_program_reads_the_models_of_its_own_team_with_state_and_card(kept: SiteModel, people: SimpleNamespace, make_client: Any):
    client = make_client()

    def models(user: Any, query: str = "") -> Any:
        made = tokens.make_personal(user, "key", scopes=list(Token.Scope), days=1, now=datetime.now(UTC), actor=SYSTEM)
        return client.get(f"/api/ids/models{query}", HTTP_X_API_KEY=made[1]).json()

    (told_,) = models(people.alice)["models"]
    assert (told_["id"], told_["organisation"], told_["state"], told_["reason"], told_["refused"]) == (
        kept.pk,
        "alices",
        "kept",
        None,
        None,
    )
    assert told_["card"]["threshold"] == registry.card_of(kept)["threshold"]
    SiteModel.objects.update(text="tree", state="shadow", reason={"why": "rate", "value": 13, "limit": 12})
    (told_,) = models(people.alice, "?limit=1")["models"]
    assert (told_["card"], told_["state"], told_["reason"]["why"]) == (None, "shadow", "rate")
    assert "model.txt" in told_["refused"]
    assert models(people.carlos) == {"models": []}
    assert client.get("/api/ids/models").status_code == 401


def test_what_people_said_of_incidents_and_what_was_cleared_are_labels(kept: SiteModel, people: SimpleNamespace, stream: Stream):
    stream(ORDINARY, ORDINARY, device="10.0.0.1")
    for device, verdict in (("10.0.0.7", "true"), ("10.0.0.8", "false"), ("10.0.0.9", "")):
        stream({"10": {"failed_ports": 40}}, device=device, suspect=True, sampled=False, kinds=["port_scan"])
        Incident.objects.filter(offender=device).update(verdict=verdict)
    found = labelled_windows.read(people.organisation, NOW - timedelta(days=1))
    assert sorted((one.source, one.attack, one.family, one.rules) for one in found) == [
        ("verdicts", False, "", True),
        ("verdicts", True, "port_scan", True),
        ("windows", False, "", False),
        ("windows", False, "", False),
    ]
    assert labelled_windows.read(Organisation.objects.create(name="Otra", slug="otra"), NOW - timedelta(days=1)) == []


def test_the_commands_train_list_show_and_say_how_one_is_used(kept: SiteModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    windows = labelled()
    monkeypatch.setattr(lab, "read", lambda folder, seed: lab.Read(windows, sessions_of(windows), {"a.pcap": "ab" * 32}))
    out = StringIO()
    call_command("ids", "train", "--lab", str(tmp_path), stdout=out)
    made = SiteModel.objects.latest("pk")
    assert f"croody ids models shadow {made.pk}" in out.getvalue()
    assert registry.card_of(made)["captures"] == {"a.pcap": "ab" * 32}
    call_command("ids", "models", "shadow", str(made.pk), stdout=out)
    listed = StringIO()
    call_command("ids", "models", "--json", stdout=listed)
    first, second = (json.loads(line) for line in listed.getvalue().splitlines())
    assert (first["number"], first["state"], first["refused"], second["state"]) == (made.pk, "shadow", None, "kept")
    call_command("ids", "models", "show", str(made.pk), stdout=out)
    with pytest.raises(CommandError, match="judged 0 windows"):
        call_command("ids", "models", "promote", str(made.pk))
    with pytest.raises(CommandError, match="999"):
        call_command("ids", "models", "shadow", "999")
    Organisation.objects.create(name="Otra", slug="otra")
    with pytest.raises(CommandError, match="--organisation"):
        call_command("ids", "train", "--lab", str(tmp_path))
