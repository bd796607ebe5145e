"""Words about people in templates, and `{% inbox_link %}`: where the demo's mail is to be read."""

import json
from typing import Any

from django import template

from croody.accounts import mailer, roles

register = template.Library()


@register.inclusion_tag("accounts/inbox_link.html")
def inbox_link() -> dict[str, Any]:
    """A link, in the demo; nothing where mail is really sent."""
    return {"shown": mailer.is_shown()}


@register.filter
def role_word(role: str) -> str:
    """What a role is called."""
    return str(roles.WORDS[roles.Role(role)].name) if role else ""


@register.filter
def role_does(role: str) -> str:
    """What somebody in a role does, as a sentence to them."""
    return str(roles.WORDS[roles.Role(role)].does)


@register.filter
def scope_words(scopes: list[str]) -> str:
    """What a token is for, in a few words."""
    return ", ".join(str(words.name) for scope, words in roles.SCOPES.items() if scope in scopes)


@register.filter
def as_json(value: Any) -> str:
    """For an attribute that a script reads; escaped like any other text."""
    return json.dumps(value)
