"""A client of the IDS API with the model and the rule of who may call that a test wants; Alice, Bob and Carlos."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client


class Urls:
    """What Django takes for a module of URLs."""

    def __init__(self, patterns: list[Any]) -> None:
        self.urlpatterns = patterns


@pytest.fixture
def make_client(settings: Any) -> Callable[..., Client]:
    from django.urls import path

    from croody.detection.nslkdd.api import make_api
    from croody.detection.nslkdd.model import SHIPPED, Holder

    def make(*, folder: Path = SHIPPED, token: str = "", demo: bool = False, holder: Holder | None = None) -> Client:
        api = make_api(holder or Holder(folder))
        settings.ENV = dataclasses.replace(settings.ENV, ids_token=token, demo=demo, allowed_origins=())
        settings.ROOT_URLCONF = Urls([path("api/ids/", api.urls)])
        return Client()

    return make


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    """A caller on this machine, in the demo."""
    return make_client(demo=True)


@pytest.fixture
def copied_model(tmp_path: Path) -> Path:
    """A copy of the model that ships, to damage."""
    from croody.detection.nslkdd.model import SHIPPED

    return Path(shutil.copytree(SHIPPED, tmp_path / "model"))


@pytest.fixture
def people(db: None) -> SimpleNamespace:
    from django.contrib.auth.models import User

    from croody.accounts.models import Membership, Organisation
    from croody.fleet import services

    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    alice, bob, carlos = (User.objects.create_user(name) for name in ("alice", "bob", "carlos"))
    Membership.objects.create(user=alice, organisation=organisation, role=Membership.Role.OWNER)
    Membership.objects.create(user=bob, organisation=organisation, role=Membership.Role.VIEWER)
    services.add_robot("rover-1", organisation=organisation)
    services.add_robot("shared-1", organisation=organisation, shared=True)
    return SimpleNamespace(alice=alice, bob=bob, carlos=carlos, organisation=organisation)
