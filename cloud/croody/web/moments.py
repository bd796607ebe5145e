"""Moments as a page shows them: UTC as text, which the browser turns into the reader's own zone. Alone, and inside sentences."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from croody.web import formats


def moment(at: datetime, language: str) -> SafeString:
    """A `time` element."""
    return format_html('<time datetime="{}" data-local>{}</time>', at.isoformat(), formats.moment(at, language))


def filled(sentence: str, values: Mapping[str, object]) -> SafeString:
    """A sentence with its `%(name)s` filled in: what is markup already stays, all else is escaped."""
    parts = {name: conditional_escape(value if isinstance(value, SafeString) else str(value)) for name, value in values.items()}
    return mark_safe(conditional_escape(sentence) % parts)
