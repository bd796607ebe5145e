"""Claims: a line that is written is read back, whatever is pasted around it, and nothing else is a claim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_contract import claims, mosquitto, topics
from croody_contract.claims import BadClaim, Claim, Exchange, SecretHashes

TOKEN = "k3J9w2Qd7Xn5Rb8Tz1Lm4Vc6"
PRINT = "A" * 43
SERVER = st.sampled_from(["https://robots.example.org", "https://10.0.0.7:8443", "https://[fd00::7]:8443", "http://127.0.0.1:8000"])
LINE = st.builds(
    lambda server, whose, group, token, print_: Claim(server, "" if group else whose, group, token, print_),
    SERVER,
    st.from_regex(topics.ROBOT_ID, fullmatch=True),
    st.one_of(st.just(""), st.from_regex(claims.GROUP, fullmatch=True)),
    st.from_regex(claims.TOKEN, fullmatch=True),
    st.one_of(st.just(""), st.from_regex(claims.FINGERPRINT, fullmatch=True)),
)


@given(LINE)
def test_what_is_written_is_read_back(claim: Claim):
    assert claims.read(str(claim)) == claim
    assert claims.read(f"  croody-edge enrol '{claim}'\n") == claim


@given(st.text(max_size=80))
def test_anything_else_is_refused_and_nothing_else_happens(text: str):
    try:
        claims.read(text)
    except BadClaim:
        return
    pytest.fail(f"{text!r} was read as a claim")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("", "form"),
        ("https://robots.example.org/amr-01/" + TOKEN, "scheme"),
        ("croody+ftp://robots.example.org/amr-01/" + TOKEN, "scheme"),
        # In the open to another machine.
        ("croody+http://robots.example.org/amr-01/" + TOKEN, "scheme"),
        ("croody+https://user@robots.example.org/amr-01/" + TOKEN, "server"),
        ("croody+https://robots.example.org:99999/amr-01/" + TOKEN, "server"),
        ("croody+https:///amr-01/" + TOKEN, "server"),
        ("croody+https://robots.example.org/" + TOKEN, "form"),
        ("croody+https://robots.example.org/a/" + TOKEN, "robot"),
        ("croody+https://robots.example.org/@/" + TOKEN, "robot"),
        ("croody+https://robots.example.org/amr-01/" + TOKEN[:-1], "token"),
        (f"croody+https://robots.example.org/amr-01/{TOKEN}/{PRINT[:-1]}", "fingerprint"),
        (f"croody+https://robots.example.org/amr-01/{TOKEN}/{PRINT}/more", "form"),
        ("croody+https://robots.example.org/amr-01/" + TOKEN + "x" * 600, "form"),
    ],
)
def test_a_line_that_is_wrong_is_refused_by_its_part_and_never_shows_its_token(line: str, part: str):
    with pytest.raises(BadClaim) as refused:
        claims.read(line)
    assert refused.value.part == part
    assert TOKEN not in str(refused.value)
    assert TOKEN not in repr(Claim("https://x", "amr-01", token=TOKEN))


def test_hashes_fit_the_secret_and_the_broker_and_cost_it_no_more_rounds_than_ours():
    hashes = claims.hashes_of("a secret of the board")
    assert mosquitto.verify("a secret of the board", hashes.mqtt_hash)
    with pytest.raises(ValueError, match="rounds"):
        SecretHashes(hashes.mqtt_hash.replace("$101$", "$1000000$"), hashes.sha256)
    with pytest.raises(ValueError, match="hash"):
        SecretHashes("plain", hashes.sha256)
    assert Exchange(TOKEN, hashes).hashes == hashes
