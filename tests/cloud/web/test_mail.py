"""Accounts with an address: signing up, confirming, a new password, another address; the mail goes through a real server."""

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.test import Client

from croody.accounts import mailer
from croody.accounts.models import ShownMail
from croody.env import Smtp
from tools.stack import Ports

pytestmark = pytest.mark.django_db(databases="__all__")
FORM = {"username": "dora", "email": "Dora@example.org", "password": "dora-measures-rain"}


class Postbox:
    """What came in over SMTP."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def only(self) -> EmailMessage:
        """The one mail there is; it is taken out."""
        assert len(self.mails) == 1, [str(one["Subject"]) for one in self.mails]
        return self.mails.pop()

    def link(self) -> str:
        """The path in the only mail."""
        found = re.search(r"http://testserver(/\S+)", self.only().get_content())
        assert found is not None
        return found[1]


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=Ports.free().web)
    controller.start()
    settings.ENV = replace(settings.ENV, smtp=Smtp("127.0.0.1", controller.port, "", "", "plain"))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    yield box
    controller.stop()


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_who_signs_up_confirms_the_address_and_is_in(client: Client, postbox: Postbox):
    assert client.post("/cuenta/registro/", FORM).headers["Location"] == "/cuenta/confirmar/"
    assert not signed_in(client)
    assert "sirve tres días" in client.get("/cuenta/confirmar/").content.decode()
    sent = postbox.mails[0]
    assert (sent["To"], sent["Subject"]) == ("dora@example.org", "Confirma tu dirección de correo")
    path = postbox.link()
    page = client.get(path)
    assert "dora@example.org" in page.content.decode()
    assert not signed_in(client), "a preview of the link confirms nothing"
    assert not EmailAddress.objects.get().verified
    assert client.post(path).headers["Location"] == "/cuenta/perfil/"
    assert signed_in(client)
    assert EmailAddress.objects.get().verified


def test_a_mail_is_in_the_language_of_the_page_that_asked_for_it(client: Client, postbox: Postbox):
    client.post("/en/cuenta/registro/", FORM)
    assert postbox.mails[0]["Subject"] == "Confirm your e-mail address"
    assert postbox.link().startswith("/en/cuenta/confirmar/")


def test_without_confirming_nobody_gets_in_and_is_written_to_at_most_every_three_minutes(client: Client, postbox: Postbox):
    client.post("/cuenta/registro/", FORM)
    postbox.only()
    other = Client()
    for _ in range(2):
        answer = other.post("/cuenta/acceder/", {"username": "dora", "password": FORM["password"]})
        assert answer.headers["Location"] == "/cuenta/confirmar/"
    assert not signed_in(other)
    assert postbox.mails == []


def test_an_address_that_is_taken_gets_a_mail_and_the_page_does_not_tell(client: Client, people: Any, postbox: Postbox):
    EmailAddress.objects.create(user=people.alice, email="dora@example.org", primary=True, verified=True)
    taken = client.post("/cuenta/registro/", FORM)
    assert taken.headers["Location"] == "/cuenta/confirmar/"
    assert postbox.only()["Subject"] == "Ya tienes una cuenta"
    assert not User.objects.filter(username="dora").exists()
    free = Client().post("/cuenta/registro/", {**FORM, "email": "new@example.org"})
    assert (free.status_code, free.headers["Location"]) == (taken.status_code, taken.headers["Location"])


def test_a_registration_without_an_address_or_with_none_that_is_one_is_refused_with_the_rule(client: Client, postbox: Postbox):
    answer = client.post("/cuenta/registro/", {**FORM, "email": "dora"})
    assert answer.status_code == 422
    assert "No es una dirección de correo: escríbela como nombre@ejemplo.org." in answer.content.decode()
    assert client.post("/cuenta/registro/", {"username": "dora", "password": FORM["password"]}).status_code == 422
    assert postbox.mails == []


@pytest.fixture
def alice(people: Any) -> User:
    """Alice, with an address that she confirmed."""
    people.alice.email = "alice@example.org"
    people.alice.save()
    EmailAddress.objects.create(user=people.alice, email="alice@example.org", primary=True, verified=True)
    return User.objects.get(username="alice")


@pytest.mark.parametrize("name", ["alice", "alice@example.org", "ALICE@example.org"])
def test_one_logs_in_by_name_or_by_address(client: Client, alice: User, postbox: Postbox, name: str):
    assert client.post("/cuenta/acceder/", {"username": name, "password": "alice-likes-robots"}).headers["Location"] == "/console/"
    assert signed_in(client)


def test_who_has_no_address_logs_in_as_ever(client: Client, people: Any, postbox: Postbox):
    assert client.post("/cuenta/acceder/", {"username": "bob", "password": "bob-likes-robots"}).status_code == 302
    assert signed_in(client)
    assert postbox.mails == []


def test_a_forgotten_password_is_set_anew_by_mail_once_and_ends_every_session(client: Client, alice: User, postbox: Postbox):
    elsewhere = Client()
    elsewhere.force_login(alice)
    assert client.post("/cuenta/contrasena/olvidada/", {"email": "alice@example.org"}).status_code == 302
    path = postbox.link()
    form = client.get(path).headers["Location"]
    assert "set-password" in form, "the key does not stay in the address"
    new = {"password1": "alice-likes-rain-too", "password2": "alice-likes-rain-too"}
    weak = client.post(form, {"password1": "short", "password2": "short"})
    assert "Es corta: escribe 10 caracteres o más." in weak.content.decode()
    assert client.post(form, new).headers["Location"] == "/cuenta/contrasena/nueva/"
    assert postbox.only()["Subject"] == "Tu contraseña cambió"
    assert elsewhere.get("/cuenta/perfil/").status_code == 302
    assert "Este enlace ya no sirve" in Client().get(path).content.decode()
    assert Client().post("/cuenta/acceder/", {"username": "alice", "password": "alice-likes-rain-too"}).status_code == 302


def test_asking_for_a_new_password_does_not_tell_who_exists(client: Client, alice: User, postbox: Postbox):
    answers = [client.post("/cuenta/contrasena/olvidada/", {"email": name}) for name in ("alice@example.org", "nobody@example.org")]
    assert len({(answer.status_code, answer.headers["Location"]) for answer in answers}) == 1
    assert [one["To"] for one in postbox.mails] == ["alice@example.org", "nobody@example.org"]
    assert postbox.mails[1]["Subject"] == "Aquí no hay cuenta con esta dirección"


def test_one_address_is_written_to_five_times_a_minute_at_most(client: Client, alice: User, postbox: Postbox):
    codes = [client.post("/cuenta/contrasena/olvidada/", {"email": "alice@example.org"}).status_code for _ in range(6)]
    assert codes == [302] * 5 + [429]
    assert len(postbox.mails) == 5


def test_another_address_holds_once_it_is_confirmed_and_the_one_before_hears_of_it(client: Client, alice: User, postbox: Postbox):
    client.post("/cuenta/acceder/", {"username": "alice", "password": "alice-likes-robots"})
    client.post("/cuenta/correo/", {"action_add": "1", "email": "a@example.org"})
    assert User.objects.get(pk=alice.pk).email == "alice@example.org"
    assert "a@example.org</strong> espera" in client.get("/cuenta/correo/").content.decode()
    path = postbox.link()
    client.post(path)
    assert User.objects.get(pk=alice.pk).email == "a@example.org"
    assert [(one.email, one.verified) for one in EmailAddress.objects.all()] == [("a@example.org", True)]
    told = postbox.only()
    assert (told["To"], told["Subject"]) == ("alice@example.org", "Tu dirección de correo cambió")


def test_an_address_is_changed_by_whoever_shows_the_password_again(client: Client, alice: User, postbox: Postbox):
    client.force_login(alice)
    for ask in (client.get, client.post):
        answer = ask("/en/cuenta/correo/", {"action_add": "1", "email": "a@example.org"})
        assert answer.headers["Location"].startswith("/en/cuenta/otra-vez/?next=%2Fen%2Fcuenta%2Fcorreo%2F")
    assert postbox.mails == []
    door = answer.headers["Location"]
    assert 'value="/en/cuenta/correo/"' in client.get(door).content.decode()
    assert "not your current password" in client.post(door, {"password": "wrong"}).content.decode()
    assert client.post(door, {"password": "alice-likes-robots", "next": "/en/cuenta/correo/"}).headers["Location"] == "/en/cuenta/correo/"
    client.post("/en/cuenta/correo/", {"action_add": "1", "email": "a@example.org"})
    assert postbox.only()["To"] == "a@example.org"


def test_a_wrong_first_address_locks_nobody_out(client: Client, people: Any, postbox: Postbox):
    client.post("/cuenta/acceder/", {"username": "bob", "password": "bob-likes-robots"})
    client.post("/cuenta/correo/", {"action_add": "1", "email": "typo@example.org"})
    other = Client()
    other.post("/cuenta/acceder/", {"username": "bob", "password": "bob-likes-robots"})
    assert signed_in(other)


def test_a_mail_server_that_is_away_is_said_and_nothing_breaks(client: Client, settings: Any, postbox: Postbox):
    settings.EMAIL_PORT = Ports.free().web
    answer = client.post("/cuenta/registro/", FORM, follow=True)
    assert answer.status_code == 200
    assert "El correo no se pudo enviar" in answer.content.decode()


def test_the_invited_confirm_their_address_and_are_led_back_to_the_invitation(client: Client, people: Any, postbox: Postbox, settings: Any):
    from django.utils import timezone

    from croody.accounts import invitations
    from croody.accounts.models import Membership
    from croody.audit.actor import SYSTEM

    settings.ENV = replace(settings.ENV, registration=False)
    role, now = Membership.Role.OPERATOR, timezone.now()
    secret = invitations.invite(people.organisation, role=role, email="dora@example.org", now=now, actor=SYSTEM)[1]
    client.get(f"/cuenta/invitacion/{secret}/")
    assert client.post("/cuenta/registro/", FORM).headers["Location"] == "/cuenta/confirmar/"
    assert client.post(postbox.link()).headers["Location"] == "/cuenta/invitacion/"
    client.post("/cuenta/invitacion/")
    assert Membership.objects.get(user__username="dora").role == role


# The demo, and a site without a mail server


@pytest.fixture
def demo(settings: Any) -> None:
    settings.ENV = replace(settings.ENV, demo=True, smtp=None)
    settings.EMAIL_BACKEND = "croody.accounts.mailer.ShownBackend"


@pytest.mark.usefixtures("demo")
def test_the_demo_shows_its_mail_on_a_page_and_in_the_log(client: Client, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    client.post("/cuenta/registro/", FORM)
    page = client.get("/cuenta/buzon/").content.decode()
    found = re.search(r'href="http://testserver(/cuenta/confirmar/[^"]+)"', page)
    assert found is not None
    assert found[1] in caplog.text
    client.post(found[1])
    assert signed_in(client)


@pytest.mark.usefixtures("demo")
def test_the_demos_mail_is_for_this_machine_alone(client: Client):
    assert client.get("/cuenta/buzon/").status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.7").get("/cuenta/buzon/").status_code == 404
    assert client.get("/cuenta/buzon/", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 404


@pytest.mark.usefixtures("demo")
def test_the_demo_keeps_its_newest_mail_and_no_more():
    for number in range(mailer.MOST_SHOWN + 5):
        mailer.send("dora@example.org", f"mail {number}", "text")
    assert ShownMail.objects.count() == mailer.MOST_SHOWN
    assert not ShownMail.objects.filter(subject="mail 4").exists()


def test_without_a_mail_server_no_address_is_asked_for_and_the_page_says_who_helps(client: Client, settings: Any):
    settings.ENV = replace(settings.ENV, demo=False, smtp=None)
    assert 'name="email"' not in client.get("/cuenta/registro/").content.decode()
    assert "croody login-link" in client.get("/cuenta/contrasena/olvidada/").content.decode()
    assert client.get("/cuenta/buzon/").status_code == 404
