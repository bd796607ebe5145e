"""Topics: what is built can be read, what is read can be built, and nothing else is a topic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_contract import topics
from croody_contract.limits import MAX_SEQ

ROBOT = st.from_regex(topics.ROBOT_ID, fullmatch=True)
STREAM = st.from_regex(topics.STREAM, fullmatch=True)
SPAN = st.tuples(st.integers(1, MAX_SEQ), st.integers(1, MAX_SEQ)).map(lambda pair: (min(pair), max(pair)))
TOPIC = st.one_of(
    st.builds(lambda robot, stream, span: topics.UpBatch(robot, stream, *span), ROBOT, STREAM, SPAN),
    st.builds(topics.UpTelemetry, ROBOT),
    st.builds(topics.UpPresence, ROBOT),
    st.builds(topics.UpAnswer, ROBOT, st.integers(1, 10**18 - 1)),
    st.builds(topics.DownAck, ROBOT),
    st.builds(topics.DownOutgoing, ROBOT),
)


@given(TOPIC)
def test_what_is_built_is_read_back(topic: topics.Topic):
    assert topics.parse(topics.build(topic)) == topic


@given(
    st.one_of(
        st.text(max_size=60),
        st.builds("croody/v1/{}/{}".format, ROBOT, st.text(max_size=40)),
        TOPIC.map(topics.build).flatmap(lambda text: st.integers(0, len(text) - 1).map(lambda at: text[:at] + text[at + 1 :])),
    )
)
def test_whatever_is_read_at_all_is_spelled_as_we_would(text: str):
    try:
        parsed = topics.parse(text)
    except topics.BadTopic:
        return
    assert topics.build(parsed) == text


@pytest.mark.parametrize(
    "text",
    [
        "croody/v1/rover-1/up/batch/stream-a1/0-5",
        "croody/v1/rover-1/up/batch/stream-a1/5-4",
        "croody/v1/rover-1/up/batch/stream-a1/01-4",
        "croody/v1/rover-1/up/batch/stream-a1/1-9007199254740992",
        "croody/v1/rover-1/up/batch/short/1-4",
        "croody/v1/ab/up/telemetry",
        "croody/v1/a+b/up/telemetry",
        "croody/v1/rover-1/up/telemetry\n",
        "croody/v1/rover-1\n/up/telemetry",
        "croody/v1/rover-1/up/telemetry/more",
        "croody/v1/rover-1/down/ack/x",
        "croody/v1/rover-1/up/answer/0",
        "croody/v1/rover-1/up/answer/٣",
        "croody/v2/rover-1/up/telemetry",
        "/croody/v1/rover-1/up/telemetry",
    ],
)
def test_what_only_looks_like_a_topic_is_refused_with_its_level_and_rule(text: str):
    with pytest.raises(topics.BadTopic, match=r"topic|robot_id|stream|range|answer"):
        topics.parse(text)


def test_a_robot_publishes_and_subscribes_only_under_its_own_name():
    assert topics.build(topics.UpPresence("rover-1")).startswith(topics.up_prefix("rover-1"))
    assert topics.down_filter("rover-1") == "croody/v1/rover-1/down/#"
    with pytest.raises(topics.BadTopic):
        topics.up_prefix("rover/#")
