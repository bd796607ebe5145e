"""Refusals that Django words itself otherwise, as pages. Those of a request or a system that is broken ask no database."""

from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from croody.web.context import site

_NOBODY: Final = AnonymousUser()


def no_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that came without its token, mostly because the page was open for very long."""
    return render(request, "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: object = None) -> HttpResponse:
    """400, as Django's `handler400`: what came is no request to us."""
    return _bare(request, "400.html", 400)


def not_found(request: HttpRequest, exception: object = None) -> HttpResponse:
    """404, as Django's `handler404`. While the database is away nobody knows who asks, and the page is the same."""
    try:
        return render(request, "404.html", status=404)
    except DatabaseError:
        return _bare(request, "404.html", 404)


def failed(request: HttpRequest) -> HttpResponse:
    """500, as Django's `handler500`: whatever failed, this page leans on nothing that can be away."""
    return _bare(request, "500.html", 500)


def _bare(request: HttpRequest, template: str, status: int) -> HttpResponse:
    return HttpResponse(render_to_string(template, {**site(request), "request": request, "user": _NOBODY}), status=status)
