"""Network namespaces for a site: a switch, and one for each machine; nothing in them has a way out. Knows `ip` (iproute2)."""

import os
import shutil
import subprocess
from types import TracebackType
from typing import Final, Self

from croody_edge.sim.lab.site import INSIDE, OUTSIDE, Machine, Site

_PROGRAM: Final = "ip"


class NoNamespaces(Exception):
    """They cannot be made here; says why and what to do."""


class Network:
    """Use it with `with`: what it made is taken away again.

    Raises:
        NoNamespaces: this process may not, or iproute2 is not there.
    """

    def __init__(self, site: Site) -> None:
        self._site, self._base = site, f"croodylab{os.getpid()}"
        self._made: list[str] = []

    @property
    def switch(self) -> str:
        """The namespace through which every frame goes."""
        return f"{self._base}-switch"

    def of(self, machine: Machine) -> str:
        """The namespace of a machine."""
        return f"{self._base}-{machine.name}"

    def __enter__(self) -> Self:
        if shutil.which(_PROGRAM) is None:
            raise NoNamespaces("iproute2 is not installed: apt install iproute2")
        try:
            self._make(self.switch)
            self._run(self.switch, "link", "add", "br0", "type", "bridge")
            self._run(self.switch, "link", "set", "br0", "up")
            for number, machine in enumerate(self._site.machines.values()):
                self._join(machine, number)
        except BaseException:
            self._undo()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._undo()

    def _undo(self) -> None:
        for name in self._made:
            subprocess.run([_PROGRAM, "netns", "del", name], capture_output=True, check=False)
        self._made.clear()

    def _make(self, name: str) -> None:
        self._call("netns", "add", name)
        self._made.append(name)
        self._run(name, "link", "set", "lo", "up")

    def _join(self, machine: Machine, number: int) -> None:
        mine, port = self.of(machine), f"port{number}"
        self._make(mine)
        self._run(self.switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", mine)
        self._run(self.switch, "link", "set", port, "master", "br0")
        self._run(self.switch, "link", "set", port, "up")
        self._run(mine, "link", "set", "eth0", "address", machine.mac.hex(":"))
        self._run(mine, "addr", "add", f"{machine.address}/24", "dev", "eth0")
        if machine.address6:
            self._run(mine, "addr", "add", f"{machine.address6}/64", "dev", "eth0", "nodad")
        self._run(mine, "link", "set", "eth0", "up")
        for net in (INSIDE, *OUTSIDE):
            if not machine.address.startswith(net):
                self._run(mine, "route", "add", f"{net}0/24", "dev", "eth0")
        self._run(mine, "route", "add", "224.0.0.0/4", "dev", "eth0")

    def _run(self, namespace: str, *words: str) -> None:
        self._call("-n", namespace, *words)

    def _call(self, *words: str) -> None:
        done = subprocess.run([_PROGRAM, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoNamespaces((done.stderr.strip().splitlines() or [f"ip {' '.join(words)}: status {done.returncode}"])[0])
