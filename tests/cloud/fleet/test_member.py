"""`croody member`: whom it lets see an organisation's robots, and whom no more."""

import io
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from croody.accounts.caller import of_user
from croody.accounts.models import Membership, Organisation
from croody.fleet import access


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("member", *words, stdout=out)
    return out.getvalue()


def test_the_help_says_what_a_role_may_do_as_the_table_has_it() -> None:
    with override("en"):
        words = access.roles_in_words()
    viewer, operator, maintainer, owner = words.split("; ")
    assert viewer == "viewer: sees its robots and their readings, reads verdicts, sees alarms and dead letters"
    assert operator.startswith("operator: sees its robots")
    assert operator.endswith("sends readings in a robot's name, closes alarms and plays dead letters again")
    assert maintainer.endswith("gives them names, sites and new secrets")
    assert owner.endswith("shares them, revokes them and brings them back")


def test_who_is_put_into_the_organisation_sees_its_robots_and_who_is_taken_out_does_not(people: SimpleNamespace) -> None:
    assert said("add", "carlos") == "carlos\tviewer\talices\n"
    assert people.rover in access.visible_to(of_user(people.carlos))

    assert said("remove", "carlos") == "carlos removed from alices\n"
    assert people.rover not in access.visible_to(of_user(people.carlos))


def test_adding_somebody_again_changes_the_role_and_makes_no_second_membership(people: SimpleNamespace) -> None:
    said("add", "bob", "--role", "operator")

    assert Membership.objects.get(user=people.bob).role == Membership.Role.OPERATOR
    assert said("list") == "alice\towner\talices\nbob\toperator\talices\n"


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["add", "dora"], "croody login-link --user dora --create"),
        (["remove", "carlos"], "croody member list"),
        (["add", "carlos", "--organisation", "bobs"], "alices"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_remedy(people: SimpleNamespace, words: list[str], remedy: str) -> None:
    with pytest.raises(CommandError, match=remedy):
        said(*words)


def test_with_several_organisations_one_has_to_be_named(people: SimpleNamespace) -> None:
    Organisation.objects.create(name="Bob's", slug="bobs")

    with pytest.raises(CommandError, match="--organisation"):
        said("add", "carlos")
    said("add", "carlos", "--organisation", "bobs")
    assert people.rover not in access.visible_to(of_user(people.carlos))
