"""The robot's TCP protocol, line by line, without sockets."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_edge.lines import MAX_LINE_BYTES, Lines
from croody_edge.sim.protocol import Pace, Role, Session, data_line

NOW = 1_795_516_156.7


@dataclass
class Toy:
    blocked: set[str] = field(default_factory=set)
    moves: list[str] = field(default_factory=list)

    def pairs(self) -> dict[str, str]:
        return {"TEMP": "23.5", "HUM": "60.2", "LON": "-74.1", "STATUS": "moving"}

    def move(self, direction: str) -> bool:
        self.moves.append(direction)
        return direction not in self.blocked


def session(password: str | None = "open sesame", toy: Toy | None = None) -> Session:
    return Session(toy or Toy(), password, lambda: ["127.0.0.1:4000", "127.0.0.1:4001"])


def say(talk: Session, line: bytes, clock: float = 0.0) -> str | None:
    return talk.handle(line, NOW, clock).text


def test_a_user_logs_in_and_reads() -> None:
    talk = session()
    assert say(talk, b"LOGIN USER -") == "LOGIN_SUCCESS USER"
    assert say(talk, b"GET_DATA") == "DATA 1795516156 TEMP=23.5;HUM=60.2;LON=-74.1;STATUS=moving"
    assert say(talk, b"GET_DATA ALL", 1) == say(session_user(), b"GET_DATA")
    assert say(talk, b"GET_DATA TEMP", 2) == "DATA 1795516156 TEMP=23.5"
    assert say(talk, b"GET_DATA LNG", 3) == "DATA 1795516156 LON=-74.1"
    assert say(talk, b"GET_DATA SMELL", 4) == "ERROR Unknown var"
    assert say(talk, b"PING") == "PONG"


def session_user() -> Session:
    talk = session()
    say(talk, b"LOGIN USER -")
    return talk


@pytest.mark.parametrize("line", [b"GET_DATA", b"GET_DATA TEMP", b"PING", b"MOVE UP", b"LIST_USERS"])
def test_before_a_login_a_command_is_not_allowed_and_costs_no_turn(line: bytes) -> None:
    talk = session()
    assert say(talk, line) == "ERROR No tienes permisos"
    assert say(talk, line) == "ERROR No tienes permisos"


@pytest.mark.parametrize("line", [b"MOVE UP", b"MOVE LEFT", b"LIST_USERS"])
def test_a_user_sees_data_only(line: bytes) -> None:
    toy = Toy()
    talk = session(toy=toy)
    say(talk, b"LOGIN USER -")
    assert say(talk, line) == "ERROR No tienes permisos"
    assert toy.moves == []


def test_an_admin_moves_the_robot_and_sees_who_is_there() -> None:
    talk = session(toy=Toy(blocked={"LEFT"}))
    assert say(talk, b"LOGIN ADMIN open sesame") == "LOGIN_SUCCESS ADMIN"
    for direction in (b"UP", b"DOWN", b"RIGHT"):
        assert say(talk, b"MOVE " + direction) == f"MOVE_SUCCESS {direction.decode()}"
    assert say(talk, b"MOVE LEFT") == "MOVE_FAIL LEFT OBSTACLE"
    assert say(talk, b"LIST_USERS") == "USER_LIST 127.0.0.1:4000;127.0.0.1:4001;"


@pytest.mark.parametrize("password", [None, ""])
def test_without_an_admin_password_the_admin_role_is_off(password: str | None) -> None:
    talk = session(password)
    for attempt in (b"", b"None", b"admin", b"-"):
        assert say(talk, b"LOGIN ADMIN " + attempt) == "LOGIN_FAIL"
    assert talk.role is Role.NOBODY


def test_a_wrong_password_fails_slowly_and_takes_nothing_away() -> None:
    talk = session_user()
    for wrong in (b"open", b"open sesame ", b"OPEN SESAME", b"\xff\xfe"):
        answer = talk.handle(b"LOGIN ADMIN " + wrong, NOW, 0)
        assert (answer.text, answer.slow) == ("LOGIN_FAIL", True)
    assert talk.role is Role.USER


def test_ping_and_get_data_are_each_held_to_one_a_second() -> None:
    talk = session_user()
    assert say(talk, b"PING", 10.0) == "PONG"
    assert say(talk, b"PING", 10.5) == "ERROR Rate limit"
    assert say(talk, b"GET_DATA", 10.5) is not None
    assert str(say(talk, b"GET_DATA", 10.6)).startswith("ERROR Rate limit")
    assert say(talk, b"PING", 11.0) == "PONG", "what was refused does not push the next turn back"
    assert say(talk, b"GET_DATA SMELL", 11.5) == "ERROR Unknown var"
    assert say(talk, b"GET_DATA", 11.6) == "ERROR Rate limit", "a question is a question, whatever it asks for"


def test_two_clients_have_a_turn_each() -> None:
    one, other = session_user(), session_user()
    assert say(one, b"PING", 5) == say(other, b"PING", 5) == "PONG"


def test_moves_and_listings_have_no_limit() -> None:
    talk = session()
    say(talk, b"LOGIN ADMIN open sesame")
    assert [say(talk, b"MOVE UP") for _ in range(50)] == ["MOVE_SUCCESS UP"] * 50


@given(st.lists(st.floats(0, 2), max_size=60))
def test_however_a_client_asks_it_gets_at_most_one_answer_a_second(gaps: list[float]) -> None:
    pace, clock, allowed = Pace(), 100.0, []
    for gap in gaps:
        clock += gap
        if pace.allow(clock):
            allowed.append(clock)
    for i, first in enumerate(allowed):
        assert len([at for at in allowed[i:] if at < first + 1 - 0.1]) == 1
    if len(allowed) > 1:
        assert (allowed[-1] - allowed[0]) >= (len(allowed) - 1) - 0.1 - 1e-6


def test_a_client_that_asks_every_second_by_its_own_shaky_clock_is_never_refused() -> None:
    pace = Pace()
    assert all(pace.allow(second + (0.04 if second % 2 else -0.04)) for second in range(100))


@pytest.mark.parametrize(
    "line",
    [
        b"", b" ", b"LOGIN", b"LOGIN USER", b"LOGIN USER x", b"LOGIN ROOT -", b"login user -", b"LOGIN  USER -", b"LOGIN USER - ",
        b"LOGIN ADMIN", b"GET_DATA TEMP HUM", b"GET_DATA  TEMP", b"get_data", b"MOVE", b"MOVE up", b"MOVE SIDEWAYS", b"MOVE UP UP",
        b"MOVE \xd0\x9f", b"PING PING", b"LIST_USERS x", b"LOGOUT now", b"\x00", b"\xff\xfe\xfd",
        "PÍNG".encode(), b"GET / HTTP/1.1", b"DATA 1 TEMP=3",
    ],
)  # fmt: skip
def test_anything_else_is_an_invalid_command(line: bytes) -> None:
    for talk in (session(), session_user()):
        answer = talk.handle(line, NOW, 0)
        assert (answer.text, answer.close) == ("ERROR Invalid command", False)


@given(st.binary(max_size=200))
def test_no_line_breaks_a_session(line: bytes) -> None:
    text = session_user().handle(line, NOW, 0).text
    assert text is None or ("\n" not in text and text.isascii())


def test_logout_closes_with_or_without_a_login() -> None:
    for talk in (session(), session_user()):
        answer = talk.handle(b"LOGOUT", NOW, 0)
        assert (answer.text, answer.close) == (None, True)


def test_logging_in_again_as_a_user_gives_the_admin_role_up() -> None:
    talk = session()
    say(talk, b"LOGIN ADMIN open sesame")
    say(talk, b"LOGIN USER -")
    assert say(talk, b"MOVE UP") == "ERROR No tienes permisos"


@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line and not line.endswith(b"\r")), max_size=8), st.data())
def test_lines_are_the_same_however_the_network_cuts_them(lines: list[bytes], data: st.DataObject) -> None:
    ends = [data.draw(st.sampled_from([b"\n", b"\r\n"])) for _ in lines]
    stream = b"".join(line + end for line, end in zip(lines, ends, strict=True))
    reader, out = Lines(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        out += reader.feed(stream[:size])
        stream = stream[size:]
    assert out == lines


def test_an_over_long_line_is_refused_once_and_the_next_one_read() -> None:
    reader = Lines()
    out: list[bytes | None] = []
    for _ in range(100):
        out += reader.feed(b"A" * 1000)
    out += reader.feed(b"A\nPING\n")
    assert out == [None, b"PING"]
    assert Lines().feed(b"B" * (MAX_LINE_BYTES + 1) + b"\nPING\n") == [None, b"PING"]
    assert Lines().feed(b"C" * MAX_LINE_BYTES + b"\n") == [b"C" * MAX_LINE_BYTES]


def test_a_data_line_has_whole_seconds_and_pairs_in_order() -> None:
    assert data_line({"TEMP": "23.5", "HUM": "60.2"}, 12.99) == "DATA 12 TEMP=23.5;HUM=60.2"
