"""`/api/v1/` as the web role serves it: Alice's team with two robots, one of them shared, and Carlos's with one."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def team(db: None, settings: Any) -> SimpleNamespace:
    from django.contrib.auth.models import User

    from croody.accounts.models import Organisation
    from croody.accounts.services import reset_token
    from croody.fleet import services
    from croody.fleet.models import Site

    settings.ROOT_URLCONF = "croody.serve.urls.web"
    ours = Organisation.objects.create(name="Alice's", slug="alices")
    theirs = Organisation.objects.create(name="Carlos's", slug="carlos")
    site = Site.objects.create(organisation=ours, name="Bodega", slug="bodega", plan={"width_m": 40}, origin_lat=4.6, origin_lng=-74.1)
    services.add_robot("rover-1", organisation=ours, site=site, kind="rover")
    services.add_robot("rover-2", organisation=ours, shared=True)
    services.add_robot("carlos-1", organisation=theirs)
    people = {name: User.objects.create_user(name) for name in ("alice", "bob", "carlos")}
    ours.memberships.create(user=people["alice"], role="owner")
    ours.memberships.create(user=people["bob"], role="viewer")
    theirs.memberships.create(user=people["carlos"], role="owner")
    keys = {name: reset_token(user) for name, user in people.items()}
    return SimpleNamespace(ours=ours, theirs=theirs, site=site, **people, keys=keys)


@pytest.fixture
def get(team: SimpleNamespace, client: Any) -> Any:
    """GET with somebody's key: path, who -> the response."""
    return lambda path, who="alice": client.get(f"/api/v1{path}", headers={"X-API-Key": team.keys[who]} if who else {})
