"""Telemetry's tests run on SQLite and on PostgreSQL, for real, with real commits: races and late commits are among them."""

import dataclasses
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connections, transaction

from croody import env
from tests.cloud.telemetry.helpers import NOON, batch


def _database(alias: str, database: env.Database) -> None:
    from croody.settings import _database as configure

    made = configure(database)
    if database.engine == "sqlite":
        # It survives no power cut, and need not.
        made["OPTIONS"]["init_command"] = made["OPTIONS"]["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    connections.settings[alias] = connections.configure_settings({"default": {}, alias: made})[alias]


@pytest.fixture(scope="session")
def aliases(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any, scratch: Path) -> dict[str, str]:
    """Database aliases of telemetry alone, made when first asked for. The default database has its tables."""
    with django_db_blocker.unblock():
        # Only what is marked `django_db` makes pytest-django do this.
        call_command("migrate", database="default", verbosity=0, skip_checks=True)
    return {}


def _alias(vendor: str, request: pytest.FixtureRequest, made: dict[str, str], scratch: Path) -> str:
    if vendor in made:
        return made[vendor]
    alias = f"telemetry_{vendor}"
    if vendor == "postgres":
        import psycopg

        server = request.getfixturevalue("postgres")
        name = f"telemetry_{secrets.token_hex(4)}"
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        _database(alias, env.parse_database(server.url(name), "TG_DB_URL"))
    else:
        _database(alias, env.Database("sqlite", str(scratch / f"{alias}-{secrets.token_hex(4)}.db")))
    before, django_settings.TELEMETRY_DB = django_settings.TELEMETRY_DB, alias
    try:
        call_command("migrate", "telemetry", database=alias, verbosity=0, skip_checks=True)
    finally:
        django_settings.TELEMETRY_DB = before
    made[vendor] = alias
    return alias


@pytest.fixture(params=["sqlite", "postgres"])
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def telemetry(
    vendor: str, request: pytest.FixtureRequest, aliases: dict[str, str], django_db_blocker: Any, settings: Any, scratch: Path
) -> Iterator[str]:
    """Empty tables of telemetry in a database of `vendor`, and of the fleet in the default one. Gives the alias."""
    with django_db_blocker.unblock():
        alias = _alias(vendor, request, aliases, scratch)
        settings.TELEMETRY_DB = alias
        settings.ENV = dataclasses.replace(settings.ENV, retention_days=30, demo=False, ingest_token="", allowed_origins=())
        try:
            yield alias
        finally:
            _empty(alias)
            connections.close_all()


def _empty(alias: str) -> None:
    from django.contrib.auth.models import User

    from croody.accounts.models import Membership, Organisation, Token
    from croody.alarms.models import Alarm
    from croody.commands.models import Outgoing
    from croody.fleet.models import Credential, Robot, Site
    from croody.fleet.queries import known_robots
    from croody.telemetry.ingest import booking
    from croody.telemetry.jobs import rollups
    from croody.telemetry.store import partitions

    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        for table in (
            "record",
            "stream",
            "streamtotal",
            "usage",
            "robotday",
            "deadletter",
            "presence",
            "rollup",
            "cursor",
            "bridgerun",
            "delivered",
            "setaside",
            "vehiclememory",
            "picture",
        ):
            cursor.execute(f"DELETE FROM telemetry_{table}")
    with connections[alias].cursor() as cursor:
        for day in partitions.present(alias):
            cursor.execute(f"DROP TABLE {partitions.name_of(day)}")
    with transaction.atomic():
        for model in (Alarm, Outgoing, Credential, Robot, Site, Membership, Organisation, Token, User):
            # What is empty has nothing that leans on it: to ask is one query, to delete some thirty.
            if model.objects.exists():
                model.objects.all().delete()
    known_robots.__init__()  # type: ignore[misc]
    booking._heads.forget()
    rollups.metric_names.cache_clear()
    partitions.forget(alias)


@pytest.fixture
def fleet(telemetry: str) -> SimpleNamespace:
    """Alice owns `rover-1` and the shared `rover-2`; Bob may see, Carlos is of another team and has `carlos-1`."""
    from django.contrib.auth.models import User

    from croody.accounts.models import Membership, Organisation
    from croody.fleet import services

    alices = Organisation.objects.create(name="Alice's", slug="alices")
    others = Organisation.objects.create(name="Carlos's", slug="carlos")
    alice, bob, carlos = (User.objects.create_user(name) for name in ("alice", "bob", "carlos"))
    Membership.objects.create(user=alice, organisation=alices, role=Membership.Role.OWNER)
    Membership.objects.create(user=bob, organisation=alices, role=Membership.Role.VIEWER)
    Membership.objects.create(user=carlos, organisation=others, role=Membership.Role.OWNER)
    secret = services.add_robot("rover-1", organisation=alices)[1]
    services.add_robot("rover-2", organisation=alices, shared=True)
    services.add_robot("carlos-1", organisation=others)
    return SimpleNamespace(alice=alice, bob=bob, carlos=carlos, alices=alices, others=others, secret=secret)


@pytest.fixture
def send(fleet: SimpleNamespace) -> Callable[..., dict[str, Any]]:
    """Relay one batch; gives its acknowledgement as {"stored": ..., "dead": ...}."""
    from croody.telemetry.ingest import services

    def run(
        first: int, records: list[Any], *, robot_id: str = "rover-1", stream: str = "stream-a", now: datetime = NOON, **head: Any
    ) -> dict[str, Any]:
        acks = services.ingest_relay(batch(robot_id, stream, first, records, **head), now=now).acks
        found = [one.ack for one in acks if one.ack.stream == stream and one.robot_id == robot_id]
        assert len(found) == 1
        return {"stored": found[0].stored, "dead": found[0].dead}

    return run
