"""What changes for accounts that are there already."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from croody.accounts.models import Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("forward_again")]


def test_a_token_keeps_what_it_could_do_before_scopes_held():
    MigrationExecutor(connection).migrate([("accounts", "0003_organisations")])
    user = User.objects.create_user("alice")
    before: Any = [["ingest", "read"], []]
    for number, scopes in enumerate(before):
        Token.objects.create(user=user, prefix="crd_", sha256=str(number), scopes=scopes)
    MigrationExecutor(connection).migrate([("accounts", "0004_scopes")])
    assert list(Token.objects.values_list("scopes", flat=True)) == [["act", "ingest", "read"]] * 2
