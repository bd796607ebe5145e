"""What others do and only signal: log-ins and log-outs, locked doors, second factors, addresses. Writes it down, decides nothing.

A wrong password is no entry: strangers make any number of them. django-axes counts those, and the lock that follows is an entry.
"""

from collections.abc import Callable
from typing import Any

from axes.signals import user_locked_out
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest
from django.utils import timezone

from croody.accounts import audit_trail
from croody.accounts.caller import ANONYMOUS, actor_of, of_user


def listen() -> None:
    """Connect; once, at the start."""
    user_logged_in.connect(_came, dispatch_uid="audit")
    user_logged_out.connect(_went, dispatch_uid="audit")
    user_locked_out.connect(_locked, dispatch_uid="audit")
    if apps.is_installed("allauth.mfa"):
        _listen_to_allauth()


def _listen_to_allauth() -> None:
    """Its models are there only where people come in."""
    from allauth.account import signals as account
    from allauth.mfa import signals as mfa

    mfa.authentication_failed.connect(_failed, dispatch_uid="audit")
    for signal, verb, thing in (
        (account.user_signed_up, "sign_up", "person"),
        (account.password_reset, "reset_password", "person"),
        (account.email_changed, "change_email", "person"),
        (account.email_confirmed, "confirm_email", "person"),
        (mfa.authenticator_added, "add", "second_factor"),
        (mfa.authenticator_removed, "remove", "second_factor"),
        (mfa.authenticator_reset, "reset", "second_factor"),
    ):
        signal.connect(_writer(verb, thing), weak=False, dispatch_uid="audit")


def _writer(verb: str, thing: str) -> Callable[..., None]:
    def write(request: HttpRequest, user: AbstractBaseUser | None = None, email_address: Any = None, **_kwargs: Any) -> None:
        whose = user if user is not None else email_address.user
        # A link from a mail is opened by whoever has it, signed in or not: the account is what is known.
        audit_trail.note(whose, actor_of(request, of_user(whose)), verb, thing, whose.get_username(), timezone.now())

    return write


def _came(request: HttpRequest, user: AbstractBaseUser, **_kwargs: Any) -> None:
    audit_trail.note(user, actor_of(request, of_user(user)), "log_in", "person", user.get_username(), timezone.now())


def _went(request: HttpRequest, user: AbstractBaseUser | None, **_kwargs: Any) -> None:
    if user is not None:
        audit_trail.note(user, actor_of(request, of_user(user)), "log_out", "person", user.get_username(), timezone.now())


def _locked(request: HttpRequest, username: str | None = None, **_kwargs: Any) -> None:
    user = User.objects.filter(username=username or "").first()
    if user is not None:
        audit_trail.note(user, actor_of(request, ANONYMOUS), "lock_out", "person", user.get_username(), timezone.now())


def _failed(request: HttpRequest, user: AbstractBaseUser, **_kwargs: Any) -> None:
    audit_trail.note(user, actor_of(request, ANONYMOUS), "fail_second_factor", "person", user.get_username(), timezone.now())
