"""A page about an API, made from its OpenAPI description on the server: no script, and nothing from another site.

Its frame is in the reader's language. What stands in the description, and what the API answers, is English: it is for programs.
"""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

from croody.web import language, openapi

#: Set by a proxy that has the pages and the APIs under one name.
_BEHIND: Final = ("HTTP_X_REAL_IP", "HTTP_X_FORWARDED_FOR")


class PlainDocs(DocsBase):
    """Give it to `NinjaAPI(docs=PlainDocs())`."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Every operation with its parameters, body, answers and an example."""
        asked = request.GET.get("lang", "")
        # The web role's addresses may say it, the other roles' do not.
        own = getattr(request, "LANGUAGE_CODE", "")
        chosen = asked if asked in language.PREFIXES else own or language.of(request)
        other = "en" if chosen == "es" else "es"
        schema = api.get_openapi_schema(path_params=kwargs)
        origin = f"{request.scheme}://{request.get_host()}"
        behind = any(request.META.get(name) for name in _BEHIND)
        context = {
            "language": chosen,
            "other_language": other,
            "other_address": language.other_address(request, other) if own and not asked else f"?lang={other}",
            "schema": schema,
            "schema_address": self.get_openapi_url(api, kwargs),
            "pages": f"{'' if behind else settings.ENV.public_url.rstrip('/')}/{chosen}",
            "operations": openapi.operations(schema, origin, timezone.now()),
            "demo": settings.ENV.demo,
        }
        with translation.override(chosen):
            response = HttpResponse(render_to_string("apidocs.html", context))
        response["Content-Language"] = chosen
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return language.remember(response, chosen) if asked == chosen else response
