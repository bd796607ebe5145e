"""Template tags of the layout: icons and formatted values. Knows no model."""

from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from croody.web import formats, moments
from croody.web.assets import imports_of

register = template.Library()


@register.simple_tag
def icon(name: str, kind: str = "icon") -> SafeString:
    """One symbol of the sprite, hidden from screen readers: the word stands beside it."""
    address = static("web/icons.svg")
    return format_html('<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>', kind, address, name)


@register.simple_tag
def modules(name: str) -> SafeString:
    """Have the browser load a module and all that it imports at once, not one after the other."""
    return format_html_join("\n", '<link rel="modulepreload" href="{}">', ((static(one),) for one in imports_of(name)))


@register.simple_tag
def go() -> SafeString:
    """Attributes of a link or form whose page takes the place of this one, without leaving it. Without script it is an ordinary one."""
    return mark_safe('data-hx-boost="true" data-hx-target="#live" data-hx-select="#live" data-hx-swap="outerMorph show:none"')


@register.filter
def number(value: float, decimals: int = 0) -> str:
    """A number by the page's language."""
    return formats.number(value, decimals, _language())


@register.filter
def moment(at: datetime) -> SafeString:
    """A `time` element: UTC as text, which the browser turns into the reader's own zone."""
    return moments.moment(at, _language())


@register.filter
def short(at: datetime) -> SafeString:
    """The same where there is little room: the browser shows the clock of today, and the day and the hour before that."""
    text = formats.brief(at, _language())
    return format_html('<time datetime="{}" data-local="short">{}<span class="without-script"> UTC</span></time>', at.isoformat(), text)


@register.filter
def times(count: int, size: int) -> int:
    """`count` steps of `size`."""
    return count * size


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    """`mapping[key]`, nothing when it is not there."""
    return mapping.get(key)


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE
