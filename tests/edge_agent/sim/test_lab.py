"""The site under attack: the same seed gives the same bytes, labels are true, nothing is sent anywhere else, and what is wrong is told."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from croody_contract.flows import capture, packets
from croody_contract.flows.capture import Frame
from croody_contract.flows.incidents import Incident, Incidents
from croody_contract.flows.meter import Meter
from croody_edge.sim import cli
from croody_edge.sim.lab import attacks, everyday, loopback, session, store
from croody_edge.sim.lab.scenario import BadScenario, Scenario, read, site_of

#: Networks of documentation and of the lab; and what is said to everybody.
OURS = ("10.88.0.", "198.51.100.", "203.0.113.", "224.", "239.", "255.255.255.255", "0.0.0.0", "fd00:88::", "ff02::", "2001:db8")
CALM = "[everyday]\nrobot = 1\nnames = 1\ndashboard = 1\n"


def scenario(more: str, **instead: float) -> Scenario:
    return read(f'name = "small"\nrobots = [3, 3]\nquiet_s = [10, 10]\n{more}', "small", **instead)


def incidents_of(frames: list[Frame]) -> list[Incident]:
    meter, found = Meter(), Incidents(None)
    return [one for frame in frames for look in meter.take(frame) for one in found.take(look)] + found.end()


def test_attacks_are_named_with_who_did_them_and_ordinary_days_are_not() -> None:
    made, frames = session.on_wire(store.load("demo"))
    offenders = {incident.offender for incident in incidents_of(frames)}
    assert offenders == {label.addresses[0] for label in made.attacks}
    assert [(label.kind, label.by) for label in made.attacks] == [
        ("syn_scan", "stranger-1"), ("mqtt_guessing", "robot-2"), ("message_flood", "robot-3"),
    ]  # fmt: skip
    calm, frames = session.on_wire(scenario(CALM, seconds=120))
    assert (calm.attacks, incidents_of(frames)) == ([], [])


def test_the_same_numbers_give_the_same_bytes_and_another_take_others_at_the_same_site() -> None:
    def made(**instead: float) -> tuple[str, set[str]]:
        _made, frames = session.on_wire(scenario(CALM, seconds=30, **instead))
        return hashlib.sha256(b"".join(frame.data for frame in frames)).hexdigest(), {
            one.address for one in site_of(_made.scenario).of("robot")
        }

    assert made() == made()
    assert made()[0] != made(take=1)[0]
    assert made()[1] == made(take=1)[1]
    assert made()[1] != made(seed=2)[1]


@pytest.mark.parametrize("code", attacks.BY_CODE)
def test_each_attack_is_labelled_and_stays_within_the_lab(code: str) -> None:
    attack = attacks.BY_CODE[code]
    least = ", ".join(f"{name} = {low}" for name, (low, _high) in attack.given.items())
    made, frames = session.on_wire(scenario(f'seconds = 400\n[[attack]]\nkind = "{code}"\ngiven = {{ {least} }}\n'))
    (label,) = made.attacks
    assert label.robot or not attack.robots
    seen = [packet for frame in frames if (packet := packets.parse(1, frame.data)) is not None]
    assert len(seen) == len(frames) > 3, "each frame can be read"
    assert any(label.first - 0.01 <= frame.at_ns / 1e9 <= label.last + 0.01 for frame in frames)
    strange = {packets.text(packet.target) for packet in seen if not packets.text(packet.target).startswith(OURS)}
    assert not strange


def test_everything_that_is_ordinary_happens() -> None:
    for code in everyday.BY_CODE:
        _made, frames = session.on_wire(
            scenario("[everyday]\n" + "".join(f"{one} = 1\n" for one in {code, "robot"}), seconds=900, most_packets=3_000)
        )
        assert frames, code
        assert code in {done["kind"] for done in _made.everyday}


def test_nobody_chose_which_kinds_are_held_out() -> None:
    held = {code for code in attacks.BY_CODE if int(hashlib.sha256(code.encode()).hexdigest()[0], 16) % 2}
    for name, kinds in (("held-out", held), ("training", attacks.BY_CODE.keys() - held)):
        drawn = store.load(name).draw
        assert drawn is not None
        assert set(drawn.kinds) == kinds


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("seconds = -1", "seconds"),
        ("[everyday]\nparty = 1", "everyday 'party': use some of robot"),
        ('[[attack]]\nkind = "war"', "attack 'war': use some of syn_scan"),
        ("colour = 3", "colour"),
        ("]", "Invalid"),
    ],
)
def test_a_scenario_that_is_wrong_says_what_may_stand_there(more: str, reason: str) -> None:
    with pytest.raises(BadScenario, match=reason):
        scenario(more)


def test_a_capture_has_its_labels_beside_it_and_ends_where_it_is_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["attack", "--scenario", "demo", "--seed", "3", "--take", "2", "--out", str(tmp_path)]) == 0
    labels = json.loads((tmp_path / "demo-3-2.json").read_text())
    assert [label["kind"] for label in labels["attacks"]] == ["syn_scan", "mqtt_guessing", "message_flood"]
    with (tmp_path / "demo-3-2.pcap").open("rb") as file:
        assert labels["began"] <= next(capture.read(file)).at_ns / 1e9 <= labels["ended"]
    (tmp_path / "full.toml").write_text(f'name = "full"\nmost_packets = 50\n{CALM}')
    assert cli.main(["attack", "--scenario", str(tmp_path / "full.toml"), "--out", str(tmp_path)]) == 1
    assert "most_packets" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["10.0.0.1", "example.org", "0.0.0.0", "::"])
def test_only_this_very_machine_is_attacked(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["attack", "login", "--target", address]) == 78
    assert f"--target {address}" in capsys.readouterr().err


def test_what_is_missing_or_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["attack"]) == 78
    assert cli.main(["attack", "--scenario", str(tmp_path / "none.toml")]) == 78
    assert "demo" in capsys.readouterr().err
    assert set(loopback.ATTACKS) == {"scan", "flood", "spoof", "login"}


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ip") is None, reason="network namespaces need root and iproute2")
def test_the_same_attack_goes_through_real_sockets_and_our_broker_in_namespaces(tmp_path: Path) -> None:
    (tmp_path / "live.toml").write_text(
        'name = "live"\nseconds = 60\nrobots = [2, 2]\nquiet_s = [1, 1]\n[everyday]\nrobot = 1\n'
        '[[attack]]\nkind = "mqtt_guessing"\nby = "robot-2"\ngiven = { tries = 12, gap_ms = 5 }\n'
    )
    status = cli.main(["attack", "--scenario", str(tmp_path / "live.toml"), "--live", "--out", str(tmp_path)])
    if status == 75:
        pytest.skip("this machine makes no network namespaces")
    assert status == 0
    with (tmp_path / "live-1-0.pcap").open("rb") as file:
        found = incidents_of(list(capture.read(file)))
    labels = json.loads((tmp_path / "live-1-0.json").read_text())
    assert [incident.offender for incident in found] == [labels["attacks"][0]["addresses"][0]]
