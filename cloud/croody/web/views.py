"""Refusals that Django words itself otherwise."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def no_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that came without its token, mostly because the page was open for very long."""
    return render(request, "403_csrf.html", status=403)
