"""What is measured: who counts as named, what is for nothing, and the protocol that was fixed."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from croody.detection.evaluation import figures, page, plan, sessions
from croody.detection.evaluation.score import Interval, Told, for_nothing, named
from croody_contract.flows.packets import parse
from croody_edge.sim.lab import session, store
from croody_edge.sim.lab.scenario import read

THIEF = Interval("syn_scan", "discovery", "T0846", ("10.0.0.9", "fd00::9"), False, 100.0, 110.0)


def test_an_attack_is_named_by_evidence_against_its_own_address_within_its_time() -> None:
    told = [Told(103, "10.0.0.9", "port_scan"), Told(104, "fd00::9", "spread"), Told(101, "10.0.0.1", "port_scan")]
    (one,) = named([THIEF], told)
    assert (one.after_s, one.codes) == (3, ("port_scan", "spread"))
    for late in (99.0, 130.0):
        assert named([THIEF], [Told(late, "10.0.0.9", "port_scan")])[0].after_s is None
    assert named([THIEF], [Told(98.5, "10.0.0.9", "beacon"), Told(101, "10.0.0.9", "beacon")])[0].after_s is None, "it stood before"


def test_evidence_against_who_did_nothing_is_one_false_incident_until_two_minutes_are_quiet() -> None:
    told = [Told(at, "10.0.0.1", code) for at, code in ((50, "spread"), (100, "port_scan"), (400, "spread"))]
    found = for_nothing([THIEF], [*told, Told(150, "10.0.0.9", "port_scan")])
    assert [(one.offender, one.first, one.last, one.codes) for one in found] == [
        ("10.0.0.1", 50, 100, ("spread", "port_scan")),
        ("10.0.0.1", 400, 400, ("spread",)),
    ]


def test_a_share_has_wilsons_interval() -> None:
    one = figures.share(8, 10)
    assert (round(one.low, 2), round(one.high, 2)) == (0.49, 0.94)
    assert str(figures.share(0, 0)) == "none"


def test_a_rate_of_few_hours_is_told_with_the_rates_that_fit_it() -> None:
    assert [round(one, 2) for one in figures.rates(0, 2.0)] == [0.0, 1.84]
    assert [round(one, 2) for one in figures.rates(35, 24.0)] == [1.02, 2.03]
    calm = [sessions.Result("everyday-1-2", 2.0, (), ())]
    text = page.render({"everyday": calm}, plan.protocol()["gates"], "now", "third")
    assert "| ≤ 0.5 | 0.00 (0) | measured, not shown: up to 1.84 fits |" in text
    assert "Rates of 0.00 to 1.84 an hour fit that" in text


def test_headers_alone_say_nothing_of_what_was_said() -> None:
    _made, frames = session.on_wire(read('name = "b"\nseconds = 60\nrobots = [2, 2]\n[everyday]\nrobot = 1\n', "b"))
    for frame in frames:
        before, after = parse(1, frame.data), parse(1, sessions.blinded(frame).data)
        assert before is not None
        assert after is not None
        assert before[:6] == after[:6]
        assert len(before.payload) == len(after.payload)
        assert b"MQTT" not in after.payload


def test_a_session_is_judged_and_its_figures_make_the_page(tmp_path: Path) -> None:
    made, frames = session.on_wire(store.load("demo"))
    store.write(made, frames, tmp_path)
    result = sessions.judged(sessions.load(tmp_path / "demo-1-0.pcap"), None)
    assert [one.after_s is not None for one in result.named] == [True, True, True]
    assert result.for_nothing == ()
    text = page.render({"held_out": [result], "held_out/headers": [result], "everyday": [result]}, plan.protocol()["gates"], "now")
    assert "| held-out kinds and sites, found in time | ≥ 0.70 | 3 of 3 (1.00; 0.44 to 1.00) | yes |" in text
    assert "missed by" not in text


def test_the_protocol_keeps_what_is_judged_apart_from_what_is_learned_on() -> None:
    fixed = plan.protocol()
    seeds = [set(fixed[name]["seeds"]) for name in plan.SETS]
    assert sum(map(len, seeds)) == len(set().union(*seeds))
    assert sum(fixed["everyday"]["seconds"] for _ in fixed["everyday"]["seeds"]) >= 24 * 3600


@pytest.mark.parametrize("labels", ["", "{}", '{"version": 2}', '{"version": 1, "how": "wire", "began": 1, "ended": 2, "attacks": [{}]}'])
def test_a_session_without_labels_is_refused_with_how_one_is_made(tmp_path: Path, labels: str) -> None:
    (tmp_path / "a.json").write_text(labels)
    with pytest.raises(sessions.NoSession, match="croody-sim attack"):
        sessions.load(tmp_path / "a.pcap")


def test_the_command_measures_a_set_and_tells_what_it_cannot_read(tmp_path: Path) -> None:
    text = 'name = "{name}"\nseed = 1\nseconds = {seconds}\nrobots = [2, 2]\nquiet_s = [20, 20]\n[everyday]\nrobot = 1\n{more}'
    attack = '[[attack]]\nkind = "syn_scan"\nby = "stranger-1"\n'
    for name, take, seconds, more in (("training", 1, 100, attack), ("everyday", 0, 250, "")):
        made, frames = session.on_wire(read(text.format(name=name, seconds=seconds, more=more), name, take=take))
        store.write(made, frames, tmp_path)
    for seed in range(2, 7):
        for name, take in (("training", 1), ("everyday", 0)):
            for suffix in ("pcap", "json"):
                (tmp_path / f"{name}-{seed}-{take}.{suffix}").symlink_to(tmp_path / f"{name}-1-{take}.{suffix}")
    out = StringIO()
    call_command("ids", "evaluate", "--captures", str(tmp_path), "--set", "training", "--page", str(tmp_path / "page.md"), stdout=out)
    assert "1 of 1 named, 0 false" in out.getvalue()
    assert "| discovery | 6 of 6" in (tmp_path / "page.md").read_text()
    (tmp_path / "training-1-1.json").write_text(json.dumps({}))
    with pytest.raises(CommandError, match="training-1-1"):
        call_command("ids", "evaluate", "--captures", str(tmp_path), "--set", "training")
