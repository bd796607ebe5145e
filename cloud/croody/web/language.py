"""`/es/` and `/en/` before any address. Knows addresses only: a page never learns that its address had a prefix.

The prefix becomes the script prefix, so `reverse` and `{% url %}` keep the reader's language by themselves. An address without a prefix is
in the language that its reader last read a page in on purpose (a cookie), else the first of ours that their browser asks for, else Spanish;
it says so to caches. Where that is not Spanish its links have a prefix, as if it had had one.
"""

from typing import Final, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, set_script_prefix
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.encoding import escape_uri_path, iri_to_uri
from django.utils.translation.trans_real import parse_accept_lang_header

from croody.web.answers import Steps, middleware

PREFIXES: Final = tuple(code for code, _ in settings.LANGUAGES)
COOKIE: Final = settings.LANGUAGE_COOKIE_NAME
_YEAR_S: Final = 365 * 24 * 3600
Response = TypeVar("Response", bound=HttpResponseBase)


def split(path: str) -> tuple[str | None, str]:
    """`/en/x/` -> (`en`, `/x/`); without a known prefix (None, path). `/en` alone is (`en`, ``)."""
    code, slash, rest = path[1:].partition("/")
    return (code, slash + rest) if code in PREFIXES else (None, path)


def of(request: HttpRequest) -> str:
    """The language of a request whose address says none."""
    return chosen(request.COOKIES.get(COOKIE, ""), request.headers.get("Accept-Language", ""))


def remember(response: Response, language: str) -> Response:
    """Let this browser know the language that its reader chose."""
    response.set_cookie(COOKIE, language, max_age=_YEAR_S, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax")
    return response


def chosen(remembered: str, accepted: str) -> str:
    """The language of an address that says none: the remembered one, else the first of ours in `Accept-Language`, else Spanish."""
    if remembered in PREFIXES:
        return remembered
    for tag, weight in parse_accept_lang_header(accepted):
        code = tag.partition("-")[0]
        if weight > 0 and code in PREFIXES:
            return code
    return str(settings.LANGUAGE_CODE)


def other_address(request: HttpRequest, language: str) -> str:
    """This page with its query in `language`."""
    query = request.META.get("QUERY_STRING", "")
    path = f"/{language}{escape_uri_path(request.path_info)}"
    return iri_to_uri(f"{path}?{query}" if query else path)


@middleware
def language_prefix(request: HttpRequest) -> Steps:
    """Reads the prefix, sets the language, takes the prefix off before the address is resolved."""
    before = get_script_prefix()
    try:
        if (redirect := _enter(request)) is not None:
            return redirect
        return _leave(request, (yield))
    finally:
        set_script_prefix(before)


def _enter(request: HttpRequest) -> HttpResponseBase | None:
    code, rest = split(request.path_info)
    language = code or of(request)
    translation.activate(language)
    request.LANGUAGE_CODE = language
    if code is None:
        if language != settings.LANGUAGE_CODE:
            set_script_prefix(f"{get_script_prefix().rstrip('/')}/{language}/")
        return None
    if not rest:
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(f"/{code}/" + (f"?{query}" if query else ""))
    request.path_info = rest
    set_script_prefix(f"{get_script_prefix().rstrip('/')}/{code}/")
    return None


def _leave(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    language = translation.get_language() or settings.LANGUAGE_CODE
    response.headers.setdefault("Content-Language", language)
    if request.path_info == request.path:
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
    elif _is_read(request, response) and request.COOKIES.get(COOKIE) != language:
        remember(response, language)
    return response


def _is_read(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Say whether somebody has a page before them whose address says the language."""
    return request.method == "GET" and response.status_code == 200 and response.headers.get("Content-Type", "").startswith("text/html")
