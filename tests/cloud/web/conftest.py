"""Alice owns `rover-1` (hers alone) and `rover-2` (shared with the public), Bob is on her team, Carlos has nothing."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User

from croody.accounts.models import Membership, Organisation
from croody.fleet import services
from croody.fleet.models import Site
from tests.cloud.web.helpers import PLAN
from tests.cloud.web.server import Web
from tools.stack import Ports


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.cloud.web.helpers.QuickArgon2", *settings.PASSWORD_HASHERS]


@pytest.fixture(autouse=True)
def _open_registration(settings: Any) -> None:
    """As in the demo; production has it closed."""
    settings.ENV = replace(settings.ENV, registration=True)


@pytest.fixture
def people(db: None) -> SimpleNamespace:
    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    alice, bob, carlos = (User.objects.create_user(name, password=f"{name}-likes-robots") for name in ("alice", "bob", "carlos"))
    Membership.objects.create(user=alice, organisation=organisation, role=Membership.Role.OWNER)
    Membership.objects.create(user=bob, organisation=organisation, role=Membership.Role.VIEWER)
    origin = PLAN["origin"]
    site = Site.objects.create(
        organisation=organisation, name="Bodega", slug="bodega", plan=PLAN, origin_lat=origin["lat"], origin_lng=origin["lng"]
    )
    services.add_robot("rover-1", organisation=organisation, site=site)
    services.add_robot("rover-2", organisation=organisation, site=site, shared=True)
    return SimpleNamespace(alice=alice, bob=bob, carlos=carlos, organisation=organisation, site=site)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The web role as a process, on SQLite, for one module."""
    folder = tmp_path_factory.mktemp("web")
    server = Web(
        folder, Ports.free().web, {"DATABASE_URL": f"sqlite:///{folder / 'croody.db'}", "TG_DB_PATH": str(folder / "telemetry.db")}
    )
    yield server
    server.end()
