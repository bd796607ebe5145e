"""The robot's own TCP protocol at its published port, as the programs of the earlier Croody speak it."""

import re
import time

import pytest

from tests.stack.robot import pairs, robot
from tests.stack.site import Site

pytestmark = pytest.mark.stack
#: What the robot says of itself to every client.
SENSED = {"TEMP", "HUM", "LAT", "LON", "ALT", "ROBOT", "ENV", "STATUS"}


def test_a_user_reads_and_does_not_move_it(site: Site) -> None:
    with robot(site.system.robot) as user:
        assert user.ask("PING") == "ERROR No tienes permisos"
        assert user.ask("LOGIN USER -") == "LOGIN_SUCCESS USER"
        assert user.ask("PING") == "PONG"
        assert user.ask("PING") == "ERROR Rate limit"
        at, sensed = pairs(user.ask("GET_DATA"))
        assert abs(at - time.time()) < 5
        assert set(sensed) >= SENSED
        assert sensed["ROBOT"] == "robot-clases"
        assert user.ask("GET_DATA ALL") == "ERROR Rate limit"
        time.sleep(1.1)
        # The regular line, with all of it, may come just then.
        answers = [user.ask("GET_DATA TEMP")]
        if ";" in answers[0]:
            answers.append(user.line())
        assert set(pairs(answers[-1])[1]) == {"TEMP"}
        time.sleep(1.1)
        assert user.refusal("GET_DATA NOTHING") == "ERROR Unknown var"
        assert user.ask("MOVE UP") == user.ask("LIST_USERS") == "ERROR No tienes permisos"
        for line in ("FLY", "login user -", "MOVE SIDEWAYS", ""):
            assert user.ask(line) == "ERROR Invalid command"
        user.say("LOGOUT")
        assert user.line() == ""


def test_an_admin_moves_it_and_sees_who_is_there(site: Site) -> None:
    with robot(site.system.robot) as admin, robot(site.system.robot) as user:
        assert admin.ask("LOGIN ADMIN a-guess") == "LOGIN_FAIL"
        assert admin.ask("MOVE UP") == "ERROR No tienes permisos"
        assert admin.ask(f"LOGIN ADMIN {site.admin_password}") == "LOGIN_SUCCESS ADMIN"
        moved = {direction: admin.ask(f"MOVE {direction}") for direction in ("UP", "DOWN", "LEFT", "RIGHT")}
        for direction, answer in moved.items():
            assert answer in {f"MOVE_SUCCESS {direction}", f"MOVE_FAIL {direction} OBSTACLE"}
        assert any(answer.startswith("MOVE_SUCCESS") for answer in moved.values())

        def users() -> int:
            listed = admin.ask("LIST_USERS")
            assert re.fullmatch(r"USER_LIST (\d+\.\d+\.\d+\.\d+:\d+;)+", listed), listed
            return listed.count(";")

        before = users()
        assert user.ask("LOGIN USER -") == "LOGIN_SUCCESS USER"
        assert users() == before + 1
        user.say("LOGOUT")
        assert user.line() == ""
        assert users() == before


def test_everybody_hears_the_regular_line_each_fifteen_seconds_logged_in_or_not(site: Site) -> None:
    deadline = time.monotonic() + 35
    while len(site.heard) < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
    (connected, _), (first, _), (second, _) = site.heard

    assert first - connected < 15.5
    assert second - first == pytest.approx(15, abs=0.5)
    for moment, line in site.heard[1:]:
        at, sensed = pairs(line)
        assert abs(at - (time.time() - (time.monotonic() - moment))) < 2
        assert set(sensed) >= SENSED
