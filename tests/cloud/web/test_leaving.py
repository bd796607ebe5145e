"""What a stream was opened with ends: a token, a session, a password, a secret, a membership. The stream ends with it, in five seconds."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import pytest

from tests.cloud.web.server import Ear, Web

#: What RELIABILITY asks for.
WITHIN_S = 5.0
CSRF = "c" * 32
STREAMS = ("/api/telemetry/stream", "/robots/monitor/stream")


def ends(ear: Ear, within_s: float = WITHIN_S) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until and ear.ended_at is None:
        time.sleep(0.02)
    return ear.ended_at is not None


def listen(web: Web, stack: ExitStack, path: str = STREAMS[0], **headers: str) -> Ear:
    ear = Ear(web.stream(stack, path, **headers))
    assert not ends(ear, 0.3)
    return ear


def signed_in(web: Web, name: str) -> dict[str, str]:
    """The cookies of somebody who is signed in, as a browser sends them."""
    return {"Cookie": f"__Host-sessionid={web.beside('session', name)}; __Host-csrftoken={CSRF}"}


def by_key(name: str) -> Callable[[Web], dict[str, str]]:
    return lambda web: {"X-API-Key": web.secrets[name]}


def fresh_token(web: Web) -> dict[str, str]:
    return {"X-API-Key": web.beside("token", "alice")}


def service_token(web: Web) -> dict[str, str]:
    return {"X-API-Key": web.beside("service_token")}


@pytest.mark.parametrize(
    ("key", "end"),
    [
        (fresh_token, ("revoke_token", "alice")),
        (fresh_token, ("token", "alice")),
        (by_key("rover-1"), ("rotate", "rover-1")),
        (service_token, ("revoke_service_token",)),
        (by_key("bob"), ("member", "bob", "operator")),
        (by_key("bob"), ("member", "bob", "")),
    ],
    ids=["a revoked token", "a token that was replaced", "a rotated secret", "a service token", "another role", "a membership that ended"],
)
def test_a_key_that_is_over_ends_its_stream_and_no_other(web: Web, key: Callable[[Web], dict[str, str]], end: tuple[str, ...]) -> None:
    with ExitStack() as stack:
        ear, public = listen(web, stack, **key(web)), listen(web, stack)
        carlos = listen(web, stack, **by_key("carlos")(web))
        web.beside(*end)
        assert ends(ear)
        assert not ends(public, 0.1)
        assert not ends(carlos, 0.1)


@pytest.mark.parametrize(
    ("how", "path"),
    [
        ("log-out", STREAMS[0]),
        ("log-out", STREAMS[1]),
        ("ended from elsewhere", STREAMS[1]),
        ("new password", STREAMS[0]),
        ("membership", STREAMS[1]),
    ],
)
def test_who_logs_out_or_changes_the_password_ends_what_the_session_had_open(web: Web, path: str, how: str) -> None:
    with ExitStack() as stack:
        here, elsewhere = signed_in(web, "carlos"), signed_in(web, "carlos")
        ear, other = listen(web, stack, path, **here), listen(web, stack, path, **elsewhere)
        if how == "log-out":
            assert httpx.post(f"{web.url}/cuenta/salir/", headers={**here, "X-CSRFToken": CSRF}).status_code == 302
        elif how == "ended from elsewhere":
            headers = {**elsewhere, "X-CSRFToken": CSRF}
            assert httpx.post(f"{web.url}/cuenta/sesiones/", data={"session": "others"}, headers=headers).status_code == 302
        elif how == "membership":
            web.beside("member", "carlos", "viewer")
        else:
            web.beside("password", "carlos", f"robots-at-{time.time()}")
        assert ends(ear)
        assert ends(other, 0.3) == (how not in {"log-out", "ended from elsewhere"})
