"""URLs of the role `telemetry`."""

from django.http import HttpRequest, JsonResponse
from django.urls import path


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers."""
    return JsonResponse({"status": "ok"})


urlpatterns = [path("healthz", healthz), path("api/telemetry/healthz", healthz)]
