"""What a thief of the database has of other people's sessions: nothing that lets anybody in."""

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from croody.accounts.sessions import SessionStore, kept_as

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("alice"), backend=BACKEND)
    return client


def opens(cookie: str) -> bool:
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = cookie
    return thief.get("/cuenta/perfil/").status_code == 200


@pytest.mark.django_db
def test_what_the_database_holds_of_a_session_opens_nothing():
    key = signed_in().cookies[settings.SESSION_COOKIE_NAME].value
    row = Session.objects.get()
    assert opens(key)
    assert key not in str(Session.objects.values().get())
    assert not opens(row.session_key)


@pytest.mark.django_db
def test_logging_out_and_a_new_login_leave_no_row_behind():
    client = signed_in()
    client.post("/cuenta/salir/")
    assert Session.objects.count() == 0


@pytest.mark.django_db
def test_a_session_is_over_after_its_time():
    client = signed_in()
    assert client.get("/cuenta/perfil/").status_code == 200
    Session.objects.update(expire_date=timezone.now())
    assert client.get("/cuenta/perfil/").status_code == 302


@pytest.mark.django_db(transaction=True)
async def test_a_session_is_the_same_one_for_code_that_waits():
    store = SessionStore()
    await store.aset("seen", 1)
    await store.asave()
    assert store.session_key is not None
    assert await SessionStore(store.session_key).aget("seen") == 1
    assert await store.aexists(store.session_key)
    assert not await store.aexists(kept_as(store.session_key))
    await SessionStore(store.session_key).adelete()
    assert await Session.objects.acount() == 0
    # It has a thread, and a connection, of its own.
    await sync_to_async(connections.close_all)()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("forward_again")
def test_sessions_from_before_keys_were_hashed_end():
    MigrationExecutor(connection).migrate([("accounts", "0004_scopes")])
    Session.objects.create(session_key="k" * 32, session_data="", expire_date=timezone.now())
    MigrationExecutor(connection).migrate([("accounts", "0005_sessions_by_hash")])
    assert Session.objects.count() == 0
