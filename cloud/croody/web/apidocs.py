"""A page about an API, made from its OpenAPI description on the server: no script, nothing from another site."""

from html import escape
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase


class PlainDocs(DocsBase):
    """Give it to `NinjaAPI(docs=PlainDocs())`."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Every operation with its parameters, body and answers."""
        schema = api.get_openapi_schema(path_params=kwargs)
        url = escape(self.get_openapi_url(api, kwargs))
        operations = "".join(
            _operation(path, method, item) for path, methods in schema["paths"].items() for method, item in methods.items()
        )
        title = escape(api.title)
        return HttpResponse(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{title}</title></head><body><main><h1>{title}</h1><p>{escape(api.description)}</p>"
            f'<p>For machines: <a href="{url}">{url}</a> (OpenAPI).</p>{operations}</main></body></html>'
        )


def _operation(path: str, method: str, item: dict[str, Any]) -> str:
    parameters = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}</td><td>{escape(_type(p.get('schema', {})))}</td>"
        f"<td>{'yes' if p.get('required') else 'no'}</td></tr>"
        for p in item.get("parameters", [])
    )
    table = f"<table><tr><th>parameter</th><th>in</th><th>type</th><th>required</th></tr>{parameters}</table>" if parameters else ""
    answers = "".join(
        f"<li><code>{escape(str(code))}</code> {escape(answer.get('description', ''))}</li>" for code, answer in item["responses"].items()
    )
    body = "<p>Takes a JSON body; see the OpenAPI description for its schema.</p>" if "requestBody" in item else ""
    return (
        f"<section><h2><code>{escape(method.upper())} {escape(path)}</code></h2>"
        f"<p>{escape(item.get('summary', ''))}</p><p>{escape(item.get('description', ''))}</p>{table}{body}<ul>{answers}</ul></section>"
    )


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    limits = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("minLength", "at least"), ("maxLength", "at most"))
        if key in schema
    ]
    return " ".join([str(schema.get("type", "any")), *limits])
