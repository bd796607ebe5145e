"""What somebody gets who tried too often. Apart from the log-in, which API roles lack: checks of django-axes look for it in every role."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from croody.accounts import throttle


def locked_out(request: HttpRequest, *args: Any) -> HttpResponse:
    """Too many tries. The same answer whether the name exists or not."""
    response = render(request, "accounts/locked.html", status=429)
    response["Retry-After"] = str(int(throttle.WITHIN.total_seconds()))
    return response
