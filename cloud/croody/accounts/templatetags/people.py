"""`{% inbox_link %}`: where the demo's mail is to be read. Nothing where mail is really sent."""

from typing import Any

from django import template

from croody.accounts import mail

register = template.Library()


@register.inclusion_tag("accounts/inbox_link.html")
def inbox_link() -> dict[str, Any]:
    """A link, in the demo."""
    return {"shown": mail.is_shown()}
