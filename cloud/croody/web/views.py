"""Answers that belong to no page: health, and refusals that Django words itself otherwise."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


async def healthz(request: HttpRequest) -> JsonResponse:
    """`/healthz`: this process answers. Asks nobody else: a lost database must not make a supervisor restart the web."""
    return JsonResponse({"status": "ok"})


def no_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that came without its token, mostly because the page was open for very long."""
    return render(request, "403_csrf.html", status=403)
