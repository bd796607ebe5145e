"""What the layout needs on every page. Reads no table: a page must show while the database is away."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from croody.web import formats, request_id
from croody.web.language import other_address


def site(request: HttpRequest) -> dict[str, Any]:
    """Addresses of this page in every language, and the one to switch to."""
    language = get_language() or settings.LANGUAGE_CODE
    other = "en" if language == "es" else "es"
    addresses = {code: other_address(request, code) for code, _ in settings.LANGUAGES}
    months = formats.months(language)
    return {
        "months": months,
        "site_language": language,
        "other_language": other,
        "other_address": addresses[other],
        "addresses": addresses,
        # Asked by the pages that show it, and by no other.
        "request_id": request_id.to_show,
    }
