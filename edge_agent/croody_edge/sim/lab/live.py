"""A scenario with real programs: our broker (or Mosquitto), sockets, kernels, in network namespaces. Captures every frame at the switch."""

import asyncio
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from croody_contract import mosquitto
from croody_contract.flows.capture import Frame
from croody_edge.sim.lab import pcap, services
from croody_edge.sim.lab.namespaces import Network, NoNamespaces
from croody_edge.sim.lab.scenario import Scenario, habits, planned, site_of
from croody_edge.sim.lab.session import Label, Made, direct
from croody_edge.sim.lab.site import MQTT, Machine, Site
from croody_edge.sim.lab.sockets import SocketHost, inside

_ALL_PROTOCOLS: Final = 0x0003
_OUTGOING: Final = 4
_SO_TIMESTAMPNS: Final = 35
_SO_RCVBUFFORCE: Final = 33
_BUFFER_BYTES: Final = 64 * 1024 * 1024
_READY_S: Final = 10.0
_AFTER_S: Final = 5.0
#: A flood in real time is as long as its file allows, and never longer than this, seconds.
_MOST_S: Final = 3_600.0


class Capture:
    """Writes down what enters the switch, each frame once, until the block ends or `most` frames came."""

    def __init__(self, switch: str, path: Path, most: int) -> None:
        self._path, self._most, self.count = path, most, 0
        with inside(switch):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.settimeout(0.2)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="capture")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        with self._path.open("wb") as out:
            pcap.begin(out)
            while not self._stop.is_set() and self.count < self._most:
                try:
                    data, more, _flags, place = self._socket.recvmsg(65_536, 64)
                except TimeoutError:
                    continue
                if place[2] == _OUTGOING or not place[0].startswith("port"):
                    continue
                pcap.add(out, Frame(_stamp(more), 1, len(data), data))
                self.count += 1


def _stamp(more: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in more:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= 16:
            seconds, rest = struct.unpack("qq", data[:16])
            return int(seconds * 1_000_000_000 + rest)
    return time.time_ns()


class BrokerProgram:
    """The broker of the site as a process: ours where it is installed, else Mosquitto.

    Raises:
        NoNamespaces: there is neither, or it does not start.
    """

    def __init__(self, network: Network, site: Site, folder: Path) -> None:
        self._machine, self._folder = site.one("broker"), folder
        hashes = {name: mosquitto.hash_secret(secret) for name, secret in site.accounts.items()}
        for name, text in mosquitto.render_files(hashes, mosquitto.hash_secret("lab")).items():
            (folder / name).write_text(text)
        self._namespace = network.of(self._machine)
        self.name = "croody-broker" if _ours() else "mosquitto"
        with (folder / "broker.log").open("wb") as log:
            self._process = subprocess.Popen(["ip", "netns", "exec", self._namespace, *self._command()], stdout=log, stderr=log)

    def _command(self) -> list[str]:
        ours = _ours()
        if ours:
            return [ours, "--bind", f"0.0.0.0:{MQTT}", "--passwd", str(self._folder / "passwd"), "--acl", str(self._folder / "acl")]
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
        if program is None:
            raise NoNamespaces("neither croody-broker nor mosquitto is installed")
        rules = (
            f"listener {MQTT}\nuser root\nallow_anonymous false\npassword_file {self._folder / 'passwd'}\nacl_file {self._folder / 'acl'}\n"
        )
        (self._folder / "mosquitto.conf").write_text(rules)
        return [program, "-c", str(self._folder / "mosquitto.conf")]

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + _READY_S
        while time.monotonic() < until:
            with inside(self._namespace):
                probe = socket.socket()
            try:
                probe.settimeout(1)
                probe.connect((self._machine.address, MQTT))
                return
            except OSError:
                time.sleep(0.1)
            finally:
                probe.close()
        log = (self._folder / "broker.log").read_text(encoding="utf-8", errors="replace")
        raise NoNamespaces(f"the broker does not answer: {log.strip()[-300:]}")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _ours() -> str:
    beside = Path(sys.executable).with_name("croody-broker")
    return str(beside) if beside.exists() else shutil.which("croody-broker") or ""


def play(scenario: Scenario, path: Path) -> Made:
    """Play it in real time, and write its capture.

    Raises:
        NoNamespaces: it cannot be made here.
        OSError: the capture cannot be written.
    """
    site = site_of(scenario)
    try:
        with tempfile.TemporaryDirectory(prefix="croody-lab-") as folder, Network(site) as network:
            broker = BrokerProgram(network, site, Path(folder))
            try:
                broker.wait()
                with Capture(network.switch, path, scenario.most_packets) as capture:
                    made = asyncio.run(_Play(scenario, site, network).run())
                    made.full = capture.count >= scenario.most_packets
            finally:
                broker.stop()
    except PermissionError as error:
        raise NoNamespaces(str(error)) from error
    return made


class _Play:
    def __init__(self, scenario: Scenario, site: Site, network: Network) -> None:
        self._scenario, self._site, self._network = scenario, site, network
        self._which = f"{scenario.seed}:{scenario.take}"
        self._hosts: dict[str, SocketHost] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def host(self, name: str) -> SocketHost:
        if name not in self._hosts:
            machine = self._site.machines[name]
            made = SocketHost(machine, self._site, Random(f"host:{self._which}:{name}"), self._network.of(machine))
            made.others = self.host
            self._hosts[name] = made
        return self._hosts[name]

    async def run(self) -> Made:
        plan, labels, began = planned(self._scenario, self._site), list[Label](), time.time()
        doing = [habit for habit in habits(self._scenario, self._site) if not habit.activity.wire_only]
        servers = [server for machine in self._site.machines.values() for server in await self._serve(machine)]
        for habit in doing:
            self._tasks.add(asyncio.ensure_future(habit.activity.run(self.host(habit.by.name), habit.given)))
        longest = min(self._scenario.seconds, _MOST_S)
        try:
            if plan:
                rng = Random(f"quiet:{self._which}")
                await asyncio.wait_for(direct(plan, self.host, self._scenario.quiet_s, rng, labels), longest)
                await asyncio.sleep(_AFTER_S)
            else:
                await asyncio.sleep(longest)
        except TimeoutError:
            pass
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for server in servers:
                server.close()
            for host in self._hosts.values():
                host.close()
        said = [{"kind": habit.activity.code, "by": habit.by.name, "address": habit.by.address} for habit in doing]
        return Made(self._scenario, "live", began, time.time(), labels, said)

    async def _serve(self, machine: Machine) -> list[asyncio.AbstractServer | asyncio.BaseTransport]:
        """What the machine offers; the broker's MQTT is a program of its own."""
        made: list[asyncio.AbstractServer | asyncio.BaseTransport] = []
        unused = services.Broker({})
        for port in sorted(machine.offers - ({MQTT} if machine.role == "broker" else set())):
            with inside(self._network.of(machine)):
                listening = socket.create_server(("0.0.0.0", port), reuse_port=False)
            made.append(await asyncio.start_server(_speak(machine, port, unused), sock=listening))
        for port in sorted(machine.offers_udp):
            with inside(self._network.of(machine)):
                bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                bound.bind(("0.0.0.0", port))
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_datagrams(self._site, machine, port), sock=bound)
            made.append(transport)
        return made


def _speak(
    machine: Machine, port: int, broker: services.Broker
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Future[None]"]:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talker = services.talker(machine, port, broker, writer.write)
        try:
            writer.write(talker.greet())
            while not talker.closed:
                data = await reader.read(65_536)
                if not data:
                    break
                writer.write(talker.hear(data))
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            # The session ends: nobody waits for this one.
            pass
        finally:
            writer.close()

    return speak  # type: ignore[return-value]


def _datagrams(site: Site, machine: Machine, port: int) -> Callable[[], asyncio.DatagramProtocol]:
    class Answers(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport = transport

        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            answer = services.answer_udp(site, machine, port, data)
            if answer:
                self._transport.sendto(answer, address)  # type: ignore[attr-defined]

    return Answers
