"""HEAD wherever GET is: what GET would answer, without its body. Knows no page and no API."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from croody.web.answers import Steps, middleware


@middleware
def answer_head(request: HttpRequest) -> Steps:
    """Views see GET. A stream is closed before it begins."""
    if request.method != "HEAD":
        return (yield)
    request.method = "GET"
    return _without_body((yield))


def _without_body(response: HttpResponseBase) -> HttpResponse:
    bare = HttpResponse(status=response.status_code, headers=dict(response.items()))
    bare.cookies = response.cookies
    if isinstance(response, HttpResponse):
        bare.headers.setdefault("Content-Length", str(len(response.content)))
    response.close()
    return bare
