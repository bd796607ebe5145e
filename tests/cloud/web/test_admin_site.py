"""The admin site: Croody's own tables to be read, by superusers, without a secret and in bounded time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from croody.accounts import invitations, tokens
from croody.accounts.models import Membership, Organisation
from croody.audit.actor import SYSTEM
from croody.audit.models import Entry
from croody.web import read_only
from croody.web.read_only import ReadOnly

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OURS = [model for model, shown in admin.site._registry.items() if isinstance(shown, ReadOnly)]


@pytest.fixture
def root(people: Any) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root-user"))
    return client


def test_what_croody_is_about_is_there_to_be_read():
    names = {model._meta.label for model in OURS}
    assert names >= {
        "accounts.Organisation", "accounts.Membership", "accounts.Token", "fleet.Robot", "fleet.Site", "alarms.Alarm", "audit.Entry",
    }  # fmt: skip


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_a_table_is_read_and_not_written(root: Client, model: Any):
    at = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert root.get(reverse(f"{at}_changelist")).status_code == 200
    assert root.get(reverse(f"{at}_add")).status_code == 403
    row = model._default_manager.first()
    if row is not None:
        assert root.get(reverse(f"{at}_change", args=[row.pk])).status_code == 200
        assert root.post(reverse(f"{at}_change", args=[row.pk]), {}).status_code == 403
        assert root.post(reverse(f"{at}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_no_hash_of_a_secret_is_on_a_page(root: Client, people: Any):
    role = Membership.Role.VIEWER
    token = tokens.make_service(people.organisation, "t", role=role, scopes=["read"], days=1, now=NOW, actor=SYSTEM)[0]
    invitation = invitations.invite(people.organisation, role=role, email="", now=NOW, actor=SYSTEM)[0]
    for row in (token, invitation):
        model = row._meta
        for name, arguments in (("changelist", []), ("change", [row.pk])):
            page = root.get(reverse(f"admin:{model.app_label}_{model.model_name}_{name}", args=arguments)).content.decode()
            assert row.sha256 not in page


def test_a_long_table_is_counted_no_further_than_its_end_of_the_list(root: Client, monkeypatch: pytest.MonkeyPatch):
    found = read_only.Bounded(Organisation.objects.order_by("pk"), 50)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert found.count == 1
    assert f"LIMIT {read_only.MOST}" in asked.captured_queries[0]["sql"]


def test_who_is_staff_and_no_superuser_sees_nothing_of_it(people: Any):
    User.objects.filter(pk=people.bob.pk).update(is_staff=True)
    client = Client()
    client.force_login(people.bob)
    assert client.get(reverse("admin:audit_entry_changelist")).status_code == 403
    assert Entry.objects.exists()
