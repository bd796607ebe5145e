"""Pages that say something and ask nothing: who we are, Buddy, the legal ones; and the addresses of the earlier Croody."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import markdown
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from croody.accounts.rules import open_to
from croody.shop import drawing
from croody.shop.models import Product

#: Texts that come with Croody; an owner's own lie in `legal/` of the state directory, and go before.
SHIPPED: Final = Path(__file__).with_name("legal")
LEGAL: Final[Mapping[str, str | Promise]] = {"privacidad": _("Privacidad"), "terminos": _("Condiciones"), "cookies": _("Cookies")}
_MOST_BYTES: Final = 256 * 1024


@require_GET
@open_to("anybody")
def about(request: HttpRequest) -> HttpResponse:
    """Who makes Croody, and what for."""
    return render(request, "site/about.html", {"section": "about"})


@require_GET
@open_to("anybody")
def buddy(request: HttpRequest) -> HttpResponse:
    """What the robot companion is."""
    drawn = drawing.of(Product(kind=Product.Kind.ROBOT, width_mm=180, height_mm=210, depth_mm=160), measured=True)
    return render(request, "site/buddy.html", {"section": "buddy", "drawn": drawn, "sides": ["180\u00a0mm", "210\u00a0mm"]})


@require_GET
@open_to("anybody")
def legal(request: HttpRequest, slug: str) -> HttpResponse:
    """A text that the owner may write: Markdown, without HTML of its own."""
    if slug not in LEGAL:
        raise Http404("no such text")
    text = _text(slug, get_language() or "es")
    html = as_html(text)
    return render(request, "site/legal.html", {"section": "legal", "name": LEGAL[slug], "html": mark_safe(html)})


def as_html(text: str) -> str:
    """Markdown as HTML; what is written as HTML is shown as it stands."""
    reader = markdown.Markdown(extensions=["tables"], output_format="html")
    reader.preprocessors.deregister("html_block")
    reader.inlinePatterns.deregister("html")
    return str(reader.convert(text))


def leads_to(name: str, anchor: str = "") -> Callable[..., HttpResponseBase]:
    """An address of the earlier Croody: for good to the page that took its place, in the reader's language."""

    @open_to("anybody")
    def led(request: HttpRequest, rest: str = "") -> HttpResponseBase:
        return redirect(reverse(name) + anchor, permanent=True)

    return led


def _text(slug: str, language: str) -> str:
    for folder in (settings.ENV.state_dir / "legal", SHIPPED):
        for code in (language, settings.LANGUAGE_CODE):
            try:
                with (folder / f"{slug}.{code}.md").open(encoding="utf-8") as file:
                    return file.read(_MOST_BYTES)
            except FileNotFoundError:
                continue
    raise Http404("nobody wrote it")
