"""Alice owns, Bob is on her team, Carlos must see nothing."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def people(db: None) -> SimpleNamespace:
    # Imported here: this file is read before Django is set up.
    from django.contrib.auth.models import User

    from croody.accounts.models import Membership, Organisation
    from croody.fleet import services

    organisation = Organisation.objects.create(name="Alice's", slug="alices")
    alice, bob, carlos = (User.objects.create_user(name) for name in ("alice", "bob", "carlos"))
    Membership.objects.create(user=alice, organisation=organisation, role=Membership.Role.OWNER)
    Membership.objects.create(user=bob, organisation=organisation, role=Membership.Role.VIEWER)
    rover, secret = services.add_robot("rover-1", organisation=organisation)
    return SimpleNamespace(alice=alice, bob=bob, carlos=carlos, organisation=organisation, rover=rover, rover_secret=secret)


@pytest.fixture(scope="session")
def site_authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A site's own, as PEM."""
    from croody.operations import certificate

    folder, authority = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("authority")
    certificate.ensure(folder, authority, ["robots.example"])
    return (folder / certificate.AUTHORITY).read_text()
