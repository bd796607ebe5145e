"""What changes for accounts that are there already."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("forward_again")]


def test_a_token_keeps_what_it_could_do_before_scopes_held():
    def tokens(migration: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("accounts", migration)])
        return executor.loader.project_state([("accounts", migration)]).apps.get_model("accounts", "Token").objects

    earlier = tokens("0003_organisations")
    user = User.objects.create_user("alice")
    before: Any = [["ingest", "read"], []]
    for number, scopes in enumerate(before):
        earlier.create(user_id=user.pk, prefix="crd_", sha256=str(number), scopes=scopes)
    assert list(tokens("0004_scopes").values_list("scopes", flat=True)) == [["act", "ingest", "read"]] * 2
