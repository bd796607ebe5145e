"""`/es/` and `/en/` before any address. Knows addresses only: a page never learns that its address had a prefix.

The prefix becomes the script prefix, so `reverse` and `{% url %}` keep the reader's language by themselves. An address
without a prefix is Spanish, whatever the browser says: one address, one text, for caches and for colleagues.
"""

from collections.abc import Awaitable, Callable
from typing import Final, cast

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, set_script_prefix
from django.utils import translation
from django.utils.decorators import sync_and_async_middleware
from django.utils.encoding import escape_uri_path, iri_to_uri

PREFIXES: Final = tuple(code for code, _ in settings.LANGUAGES)
Sync = Callable[[HttpRequest], HttpResponseBase]
Async = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def split(path: str) -> tuple[str | None, str]:
    """`/en/x/` -> (`en`, `/x/`); without a known prefix (None, path). `/en` alone is (`en`, ``)."""
    code, slash, rest = path[1:].partition("/")
    return (code, slash + rest) if code in PREFIXES else (None, path)


def other_address(request: HttpRequest, language: str) -> str:
    """This page with its query in `language`."""
    query = request.META.get("QUERY_STRING", "")
    path = f"/{language}{escape_uri_path(request.path_info)}"
    return iri_to_uri(f"{path}?{query}" if query else path)


@sync_and_async_middleware
def language_prefix(get_response: Sync | Async) -> Sync | Async:
    """Middleware: reads the prefix, sets the language, takes the prefix off before the address is resolved."""
    if iscoroutinefunction(get_response):
        answer_later = cast(Async, get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            before = get_script_prefix()
            redirect = _enter(request)
            try:
                return redirect or _leave(await answer_later(request))
            finally:
                set_script_prefix(before)

        return later
    answer_now = cast(Sync, get_response)

    def now(request: HttpRequest) -> HttpResponseBase:
        before = get_script_prefix()
        redirect = _enter(request)
        try:
            return redirect or _leave(answer_now(request))
        finally:
            set_script_prefix(before)

    return now


def _enter(request: HttpRequest) -> HttpResponseBase | None:
    code, rest = split(request.path_info)
    language = code or settings.LANGUAGE_CODE
    translation.activate(language)
    request.LANGUAGE_CODE = language
    if code is None:
        return None
    if not rest:
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(f"/{code}/" + (f"?{query}" if query else ""))
    request.path_info = rest
    set_script_prefix(f"{get_script_prefix().rstrip('/')}/{code}/")
    return None


def _leave(response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
    return response
