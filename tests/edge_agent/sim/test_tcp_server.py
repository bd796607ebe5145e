"""The robot's TCP server over real sockets: several clients, slow ones, rude ones, and the robot that moves."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from croody_edge.sim.machine import SimMachine
from croody_edge.sim.tcp import Server
from croody_edge.sources.sim import SimSource, Site
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

PASSWORD = "correct horse"


@pytest.fixture
def source() -> SimSource:
    site = Site(seed=7)
    bot = site.robot("robot-clases", 0, "calm")
    bot.x_m, bot.y_m = 7.0, 6.0
    return SimSource(bot, site)


@pytest.fixture
def server(source: SimSource) -> Iterator[Server]:
    running = Server(SimMachine(source, "robot-clases"), port=0, admin_password=PASSWORD, broadcast_s=0.4)
    running.start()
    yield running
    running.stop()


class Client:
    """A client that reads line by line."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
        self._file = self.socket.makefile("rb")

    def send(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\n" for line in lines).encode())

    def line(self) -> str:
        return self._file.readline().decode()

    def answer(self, line: str) -> str:
        """What is said next that is not the regular DATA line; for GET_DATA use `line`."""
        self.send(line)
        while (got := self.line()).startswith("DATA "):
            pass
        return got.rstrip("\n")

    def close(self) -> None:
        self._file.close()
        self.socket.close()


Connect = Callable[[], Client]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    made: list[Client] = []

    def one() -> Client:
        made.append(Client(server))
        return made[-1]

    yield one
    for client in made:
        client.close()


def pairs(line: str) -> dict[str, str]:
    assert line.startswith("DATA ")
    assert line.endswith("\n")
    _, seconds, rest = line.rstrip("\n").split(" ", 2)
    assert abs(int(seconds) - time.time()) < 5
    return dict(pair.split("=", 1) for pair in rest.split(";"))


def test_everybody_hears_the_regular_data_line_logged_in_or_not(connect: Connect) -> None:
    silent, user = connect(), connect()
    assert user.answer("LOGIN USER -") == "LOGIN_SUCCESS USER"
    for client in (silent, user, silent, user):
        heard = pairs(client.line())
        assert {"TEMP", "HUM", "PRES", "WIND", "LAT", "LON", "ALT", "ROBOT", "ENV", "STATUS"} <= set(heard)
        assert heard["ROBOT"] == "robot-clases"
        assert heard["STATUS"] in ("moving", "idle", "charging", "blocked")


def test_by_default_the_data_line_comes_every_fifteen_seconds(source: SimSource) -> None:
    assert Server(SimMachine(source, "r"))._broadcast_s == 15.0


def test_what_an_admin_moves_moves_in_the_published_position(connect: Connect, source: SimSource) -> None:
    admin = connect()
    assert admin.answer(f"LOGIN ADMIN {PASSWORD}") == "LOGIN_SUCCESS ADMIN"
    before = source.read(1000.0)
    assert admin.answer("MOVE UP") == "MOVE_SUCCESS UP"
    after = source.read(1000.01)
    assert before is not None
    assert after is not None
    assert before.position is not None
    assert after.position is not None
    assert (after.position.lat - before.position.lat) * 111_320 == pytest.approx(0.5, abs=0.02)
    assert float(after.data["y_m"]) == float(before.data["y_m"]) - 0.5
    assert admin.answer("MOVE RIGHT") == "MOVE_SUCCESS RIGHT"
    assert admin.answer("MOVE RIGHT") == "MOVE_FAIL RIGHT OBSTACLE"


def test_list_users_names_who_has_logged_in_and_forgets_who_left(connect: Connect) -> None:
    admin, user, silent = connect(), connect(), connect()
    admin.answer(f"LOGIN ADMIN {PASSWORD}")
    user.answer("LOGIN USER -")
    names = [f"127.0.0.1:{client.socket.getsockname()[1]}" for client in (admin, user)]
    assert admin.answer("LIST_USERS") == f"USER_LIST {names[0]};{names[1]};"
    user.send("LOGOUT")
    while user.line():
        pass
    deadline = time.monotonic() + PATIENCE_S
    while admin.answer("LIST_USERS") != f"USER_LIST {names[0]};":
        assert time.monotonic() < deadline
    silent.close()


def test_lines_may_come_in_pieces_with_carriage_returns_or_many_at_once(connect: Connect) -> None:
    client = connect()
    for piece in (b"LOG", b"IN USER", b" -\r", b"\nPI", b"NG\r\nPING\nNONSENSE\n"):
        client.socket.sendall(piece)
        time.sleep(0.02)
    heard: list[str] = []
    while len(heard) < 4:
        line = client.line()
        if not line.startswith("DATA "):
            heard.append(line)
    assert heard == ["LOGIN_SUCCESS USER\n", "PONG\n", "ERROR Rate limit\n", "ERROR Invalid command\n"]


def test_junk_and_endless_lines_are_answered_and_the_client_stays(connect: Connect) -> None:
    client = connect()
    client.socket.sendall(b"\xff\xfe\x00" + bytes(range(128, 255)) + b"\n")
    assert client.line() == "ERROR Invalid command\n"
    client.socket.sendall(b"Z" * 300_000 + b"\n")
    while (line := client.line()).startswith("DATA "):
        pass
    assert line == "ERROR Invalid command\n"
    assert client.answer("LOGIN USER -") == "LOGIN_SUCCESS USER"


def test_a_client_that_says_goodbye_first_still_gets_its_answers(connect: Connect) -> None:
    client = connect()
    client.send("LOGIN USER -", "PING")
    client.socket.shutdown(socket.SHUT_WR)
    assert [line for line in iter(client.line, "") if not line.startswith("DATA")] == ["LOGIN_SUCCESS USER\n", "PONG\n"]


def test_a_wrong_password_is_answered_late_and_in_its_turn(connect: Connect) -> None:
    client = connect()
    began = time.monotonic()
    client.send("LOGIN ADMIN guess")
    assert client.answer("NONSENSE") == "LOGIN_FAIL"
    assert time.monotonic() - began >= 0.45
    assert client.answer("MORE NONSENSE") == "ERROR Invalid command", "the answer to the first nonsense, now that its turn has come"


def test_clients_that_vanish_leave_nothing_behind(server: Server, connect: Connect) -> None:
    for _ in range(50):
        client = connect()
        client.send("LOGIN USER -", "GET_DATA")
        # RST instead of FIN.
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    deadline = time.monotonic() + PATIENCE_S
    while server.clients:
        assert time.monotonic() < deadline, f"{len(server.clients)} clients are still there"
        time.sleep(0.02)
    assert connect().answer("LOGIN USER -") == "LOGIN_SUCCESS USER"


@pytest.fixture
def strict(source: SimSource) -> Iterator[Server]:
    running = Server(SimMachine(source, "robot-clases"), port=0, broadcast_s=0.2, stuck_s=0.5, max_clients=100)
    running.start()
    yield running
    running.stop()


def test_a_client_that_does_not_read_holds_nobody_up_and_is_dropped(strict: Server) -> None:
    greedy = socket.create_connection(("127.0.0.1", strict.port), timeout=PATIENCE_S)
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            try:
                greedy.sendall(b"X\n" * 20_000)
            except OSError:
                return

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    polite = Client(strict)
    began = time.monotonic()
    assert polite.answer("LOGIN USER -") == "LOGIN_SUCCESS USER"
    assert polite.answer("PING") == "PONG"
    assert time.monotonic() - began < A_BUSY_SECOND_S
    deadline = time.monotonic() + PATIENCE_S
    while len(strict.clients) > 1:
        assert time.monotonic() < deadline, "the client that never reads is still there"
        time.sleep(0.05)
    stop.set()
    greedy.close()
    polite.close()
    thread.join(2)


def test_a_hundred_clients_are_served_and_one_too_many_is_turned_away(strict: Server) -> None:
    crowd = [Client(strict) for _ in range(100)]
    assert {client.answer("LOGIN USER -") for client in crowd} == {"LOGIN_SUCCESS USER"}
    one_more = Client(strict)
    assert gone(one_more)
    for client in (*crowd, one_more):
        client.close()


def gone(client: Client) -> bool:
    """Whether the server ended this connection."""
    try:
        while client.line():
            pass
    except ConnectionError:
        pass
    return True


def test_silent_connections_do_not_lock_the_port(source: SimSource) -> None:
    running = Server(SimMachine(source, "robot-clases"), port=0, max_clients=8, quiet_s=0.5, admin_password="hunter2")
    running.start()
    sockets: list[socket.socket] = []

    def come(said: bytes = b"") -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", running.port), PATIENCE_S)
        sockets.append(sock)
        sock.sendall(said)
        return sock

    try:
        admin = come(b"LOGIN ADMIN hunter2\n")
        assert admin.recv(100) == b"LOGIN_SUCCESS ADMIN\n"
        silent = [come() for _ in range(300)]
        for _ in range(3):
            late = come(b"LOGIN USER -\n")
            assert late.recv(100) == b"LOGIN_SUCCESS USER\n"
        with contextlib.suppress(ConnectionResetError):
            assert silent[0].recv(1) == b"", "the oldest silent one made room"
        time.sleep(0.6)
        assert come(b"PING\n").recv(100)
        admin.sendall(b"PING\n")
        assert admin.recv(100) == b"PONG\n", "who has logged in goes last"
        assert len(running.clients) <= 8
    finally:
        running.stop()
        for sock in sockets:
            sock.close()


def test_a_port_that_is_taken_is_said_so_and_no_thread_remains(server: Server, source: SimSource) -> None:
    second = Server(SimMachine(source, "second"), port=server.port)
    with pytest.raises(OSError, match="in use"):
        second.start()
    second.stop()


def test_stopping_ends_every_connection_and_frees_the_port_at_once(source: SimSource) -> None:
    server = Server(SimMachine(source, "r"), port=0)
    server.start()
    client = Client(server)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < A_BUSY_SECOND_S
    assert gone(client)
    client.close()
    again = Server(SimMachine(source, "r"), port=server.port)
    again.start()
    again.stop()
