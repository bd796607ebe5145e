"""The web role as a process of its own, robots that speak beside it, and ears that listen to its streams."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cloud.web.helpers import events
from tests.patience import PATIENCE_S

_SEED = """
import django; django.setup()
import sys
from django.core.management import call_command
from django.contrib.auth.models import User
from croody.accounts.services import reset_token
from croody.fleet import services
from croody.accounts.models import Membership, Organisation
from croody.fleet.models import Site
from tests.cloud.web.helpers import PLAN
call_command("setup", verbosity=0)
org = Organisation.objects.create(name="Alice's", slug="alices")
site = Site.objects.create(organisation=org, name="Bodega", slug="bodega", plan=PLAN, origin_lat=4.6752, origin_lng=-74.1418)
for name in ("alice", "bob", "carlos"):
    user = User.objects.create_user(name)
    if name != "carlos":
        Membership.objects.create(user=user, organisation=org)
    print(name, reset_token(user))
print("rover-1", services.add_robot("rover-1", organisation=org, site=site)[1])
print("rover-2", services.add_robot("rover-2", organisation=org, site=site, shared=True)[1])
"""
_BESIDE = """
import django; django.setup()
import sys, json
from datetime import timedelta
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone
from croody.accounts.models import Membership, Organisation
from croody.accounts.services import make_login_link, reset_token
from croody.alarms import kinds
from croody.alarms.services import raise_alarm, resolve_alarm, resolve_all
from croody.fleet import services
from croody.fleet.models import Robot, Site
from croody.liveness.models import Listening
from tests.cloud.web.helpers import say

def add(robot, at_site):
    site = Site.objects.get() if at_site else None
    return services.add_robot(robot, organisation=Organisation.objects.get(), site=site, shared=True)[1]

def stop(robot, first, reading):
    say(robot, first, reading, status="idle")

def place(robot, first, lat, lng):
    say(robot, first, {"TEMP": 1.0}, place=(lat, lng))

def revoke(robot):
    services.revoke(Robot.objects.get(pk=robot), now=timezone.now())

def revoke_token(name):
    from croody.accounts.services import revoke_token
    revoke_token(User.objects.get(username=name))

def token(name):
    return reset_token(User.objects.get(username=name))

def service_token():
    from croody.accounts import tokens
    from croody.audit.actor import SYSTEM
    organisation = Organisation.objects.get()
    values = {"role": Membership.Role.VIEWER, "scopes": ["read"], "days": 1, "now": timezone.now(), "actor": SYSTEM}
    return tokens.make_service(organisation, "board", **values)[1]

def revoke_service_token():
    from croody.accounts.models import Token
    Token.objects.exclude(organisation=None).update(revoked_at=timezone.now())

def rotate(robot):
    return services.rotate_secret(Robot.objects.get(pk=robot))

def member(name, role):
    Membership.objects.filter(user__username=name).delete()
    if role:
        Membership.objects.create(user=User.objects.get(username=name), organisation=Organisation.objects.get(), role=role)

def password(name, new):
    user = User.objects.get(username=name)
    user.set_password(new)
    user.save()

def session(name):
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client.session.session_key

def login_link(name):
    return make_login_link(User.objects.get(username=name))

def alarm(robot, code):
    Membership.objects.filter(user__username="alice").update(role="owner")
    raise_alarm(robot, kinds.find(code), "", "medium", {}, timezone.now())

def worse(robot):
    raise_alarm(robot, "conflict", "", "critical", {}, timezone.now())

def better(robot):
    resolve_alarm(robot, "conflict", "", timezone.now())

def calm(robot):
    resolve_all(robot, timezone.now())

def listened(seconds_ago):
    Listening.objects.all().delete()
    if seconds_ago is not None:
        at = timezone.now() - timedelta(seconds=seconds_ago)
        Listening.objects.create(pk=Listening.ONLY, since=at - timedelta(hours=1), at=at)

def signs():
    from croody.detection.models import SecurityEvent
    found = SecurityEvent.objects.order_by("pk").values_list("source", "kind", "address", "account", "secret", "topic", "times")
    return [list(row) for row in found]

for line in sys.stdin:
    connections.close_all()
    name, *arguments = json.loads(line)
    print(json.dumps(globals()[name](*arguments)), flush=True)
"""


class Web:
    """A server of its own, with a process beside it that lets robots speak."""

    def __init__(self, folder: Path, port: int, environ: dict[str, str]) -> None:
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CROODY_", "TG_", "DATABASE_"))},
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]),
            "DJANGO_SETTINGS_MODULE": "croody.settings",
            "CROODY_STATE_DIR": str(folder),
            "CROODY_ROLE": "web",
            "ALLOWED_HOSTS": "127.0.0.1",
            **environ,
        }
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        seeded = subprocess.run([sys.executable, "-c", _SEED], env=self.environ, check=True, capture_output=True, text=True)
        self.secrets = dict(line.split() for line in seeded.stdout.splitlines())
        self.log = folder / "web.log"
        self._mouth = subprocess.Popen([sys.executable, "-c", _BESIDE], env=self.environ, stdin=-1, stdout=-1, text=True)
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            command = [sys.executable, "-m", "croody.serve", "--bind", f"127.0.0.1:{self._port}"]
            self.process = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        ends = time.monotonic() + 2 * PATIENCE_S
        while time.monotonic() < ends:
            try:
                if httpx.get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
            if self.process.poll() is not None:
                break
        pytest.fail(f"the web did not start:\n{self.log.read_text()}")

    def say(self, robot_id: str, first: int, *readings: dict[str, Any]) -> None:
        """Let records of a robot arrive."""
        self.beside("say", robot_id, first, *readings)

    def place(self, robot_id: str, first: int, lat: float, lng: float) -> None:
        """Let a robot say where on Earth it is."""
        self.beside("place", robot_id, first, lat, lng)

    def add(self, robot_id: str, *, at_site: bool = False) -> str:
        """A new shared robot; its secret."""
        return str(self.beside("add", robot_id, at_site))

    def revoke(self, robot_id: str) -> None:
        """Shut a robot out."""
        self.beside("revoke", robot_id)

    def login_link(self, name: str) -> str:
        """The path of a one-time login."""
        return str(self.beside("login_link", name))

    def alarm(self, robot_id: str, code: str) -> None:
        """Raise an alarm of a robot's own word; Alice may close it."""
        self.beside("alarm", robot_id, code)

    def calm(self, robot_id: str) -> None:
        """Close all alarms of a robot."""
        self.beside("calm", robot_id)

    def listened(self, seconds_ago: float | None) -> None:
        """When a bridge last heard the broker; None: there never was one."""
        self.beside("listened", seconds_ago)

    def beside(self, *call: Any) -> Any:
        """Call a function of the process beside the server."""
        assert self._mouth.stdin is not None
        assert self._mouth.stdout is not None
        self._mouth.stdin.write(json.dumps(call) + "\n")
        self._mouth.stdin.flush()
        return json.loads(self._mouth.stdout.readline())

    def end(self) -> None:
        for process in (self.process, self._mouth):
            process.terminate()
        for process in (self.process, self._mouth):
            process.wait(PATIENCE_S)
        for pipe in (self._mouth.stdin, self._mouth.stdout):
            assert pipe is not None
            pipe.close()

    def stream(self, stack: ExitStack, path: str = "/api/telemetry/stream", **headers: str) -> httpx.Response:
        client = stack.enter_context(httpx.Client(timeout=httpx.Timeout(PATIENCE_S)))
        return stack.enter_context(client.stream("GET", self.url + path, headers=headers))


class Ear:
    """Reads a stream in the background."""

    def __init__(self, response: httpx.Response) -> None:
        self.heard: list[tuple[str, str, Any]] = []
        self.ended_at: float | None = None
        self._response = response
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for event in events(self._response, until_s=4 * PATIENCE_S):
                self.heard.append(event)
        except httpx.TransportError:
            pass
        self.ended_at = time.monotonic()

    def wait(self, wanted: Any, within_s: float = PATIENCE_S) -> tuple[str, str, Any]:
        ends = time.monotonic() + within_s
        while time.monotonic() < ends:
            for event in self.heard:
                if wanted(event):
                    return event
            time.sleep(0.01)
        pytest.fail(f"not heard within {within_s} s: {self.heard}")
