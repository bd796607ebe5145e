"""URLs of the role `ids`."""

from django.http import HttpRequest, JsonResponse
from django.urls import path


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers, with or without a model."""
    return JsonResponse({"status": "ok"})


urlpatterns = [path("healthz", healthz), path("api/ids/healthz", healthz)]
