"""The sentences of the access page. Pure."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.web import formats


def sentence(members: int, invited: int, language: str) -> str:
    """Who can get in, as the page's answer."""
    count = formats.number(members, 0, language)
    inside = ngettext("%(count)s persona tiene acceso", "%(count)s personas tienen acceso", members) % {"count": count}
    if not invited:
        return inside
    waiting = formats.number(invited, 0, language)
    asked = ngettext("%(count)s invitada", "%(count)s invitadas", invited) % {"count": waiting}
    return _("%(inside)s, %(asked)s") % {"inside": inside, "asked": asked}
