"""The topic rules: which filter covers which, what an acl file grants, what is left out of it."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from croody_broker.rules import covers, matches, parse_acl, valid_filter
from croody_contract.mosquitto import render_acl

NAMES = ("a", "b", "")
TOPICS = [levels for length in (1, 2, 3, 4) for levels in product(NAMES, repeat=length)] + [("$SYS", "a"), ("$SYS",)]
filters = st.lists(st.sampled_from(["a", "b", "+", ""]), min_size=0, max_size=3).flatmap(
    lambda levels: st.sampled_from([[*levels, "#"], [*levels, "a"], [*levels, "+"]])
)


@settings(max_examples=400)
@given(rule=filters, wanted=filters)
def test_a_rule_covers_a_filter_exactly_when_it_matches_all_that_the_filter_matches(rule: list[str], wanted: list[str]) -> None:
    inside = [topic for topic in TOPICS if matches(topic, wanted)]
    within = all(matches(topic, rule) for topic in inside)
    # `+/#` matches what `#` matches; that a rule `+/#` does not grant `#` is on the safe side.
    assert covers(rule, wanted) == within or (rule, wanted) == (["+", "#"], ["#"])


@pytest.mark.parametrize(
    ("rule", "wanted", "covered"),
    [
        ("robots/+", "robots/#", False),
        ("robots/+", "robots/+", True),
        ("robots/#", "robots/+/x", True),
        ("robots/#", "robots", True),
        ("robots/+/#", "robots/#", False),
        ("a/b", "a/+", False),
        ("a/b", "#", False),
        ("#", "a/+/#", True),
        ("#", "$SYS/#", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/broker/+", True),
    ],
)
def test_wildcards_are_covered_only_by_wider_ones(rule: str, wanted: str, covered: bool) -> None:
    assert covers(rule.split("/"), wanted.split("/")) is covered


@pytest.mark.parametrize("text", ["", "a/#/b", "a#", "a/b+", "++", "a/\0", "#/a"])
def test_a_filter_that_mqtt_forbids_is_not_valid(text: str) -> None:
    assert not valid_filter(text.split("/"))


def test_croodys_own_rules_give_a_robot_its_up_and_its_down_and_the_bridge_the_reverse() -> None:
    rules, problems = parse_acl(render_acl())
    assert problems == []
    alice, bridge = rules.grant("rover-alice", "rover-alice:agent"), rules.grant("bridge", "bridge:one")

    def topic(text: str) -> list[str]:
        return text.split("/")

    assert alice.may_publish(topic("croody/v1/rover-alice/up/telemetry"))
    assert not alice.may_publish(topic("croody/v1/rover-bob/up/telemetry"))
    assert not alice.may_publish(topic("croody/v1/rover-alice/down/ack"))
    assert alice.may_receive(topic("croody/v1/rover-alice/down/ack"))
    assert not alice.may_receive(topic("croody/v1/rover-alice/up/telemetry"))
    assert alice.may_subscribe(topic("croody/v1/rover-alice/down/#"))
    assert not alice.may_subscribe(topic("croody/v1/+/down/#"))
    assert bridge.may_subscribe(topic("croody/v1/+/up/#"))
    assert bridge.may_publish(topic("croody/v1/rover-alice/down/ack"))
    assert not bridge.may_publish(topic("croody/v1/rover-alice/up/telemetry"))
    assert not bridge.may_subscribe(topic("croody/v1/#"))


def test_a_user_sees_only_its_own_section_and_the_patterns() -> None:
    rules, problems = parse_acl("user alice\ntopic a/alice\nuser bob\ntopic read b/#\npattern read p/%c/%u\n")
    assert problems == []
    alice, bob, carlos = (rules.grant(user, f"{user}:1") for user in ("alice", "bob", "carlos"))
    assert alice.may_publish(["a", "alice"])
    assert alice.may_receive(["a", "alice"])
    assert not bob.may_publish(["a", "alice"])
    assert bob.may_receive(["b", "x"])
    assert not bob.may_publish(["b", "x"])
    assert carlos.may_receive(["p", "carlos:1", "carlos"])
    assert not carlos.may_receive(["p", "carlos:2", "carlos"])


def test_a_deny_counts_wherever_it_stands() -> None:
    rules, _ = parse_acl("user alice\ntopic read a/#\ntopic deny a/secret\n")
    alice = rules.grant("alice", "alice")
    assert alice.may_receive(["a", "open"])
    assert not alice.may_receive(["a", "secret"])


@pytest.mark.parametrize("name", ["", "+", "#", "a/b", "a\0"])
def test_a_name_that_would_widen_a_pattern_gets_nothing_from_it(name: str) -> None:
    rules, _ = parse_acl("pattern readwrite x/%u/%c/#\n")
    for grant in (rules.grant(name, "c"), rules.grant("u", name)):
        assert not any(grant.may_publish(["x", first, second, "t"]) for first, second in product((name, "u", "a", "+"), (name, "c", "b")))


def test_what_cannot_be_understood_is_left_out_and_named() -> None:
    rules, problems = parse_acl("topic read a\nuser alice\ntopic read a/#/b\nnonsense\ntopic deny\n# a comment\n\ntopic write ok\n")
    assert [problem.split(":")[0] for problem in problems] == ["line 1", "line 3", "line 4", "line 5"]
    assert rules.grant("alice", "alice").may_publish(["ok"])


def test_a_filter_may_hold_blanks() -> None:
    rules, _ = parse_acl("user alice\ntopic read a b/c\n")
    assert rules.grant("alice", "alice").may_receive(["a b", "c"])


def test_without_rules_everything_is_denied() -> None:
    grant = parse_acl("")[0].grant("alice", "alice")
    assert not grant.may_publish(["a"])
    assert not grant.may_receive(["a"])
    assert not grant.may_subscribe(["#"])
