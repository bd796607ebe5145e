"""URLs of the role `telemetry`."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from croody.alarms.api import router as alarms_router
from croody.telemetry.api import api
from croody.telemetry.bridge_api import router as bridge_router
from croody.telemetry.letters_api import router as letters_router

api.add_router("", alarms_router)
api.add_router("", bridge_router)
api.add_router("/dead-letters", letters_router)


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers."""
    return JsonResponse({"status": "ok"})


def _not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"detail": f"there is nothing at {request.path[:200]}: see /api/telemetry/docs"}, status=404)


def _bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"detail": "the request cannot be read: look at its Host header and its address"}, status=400)


def _failed(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"detail": "something failed here; the log says what"}, status=500)


urlpatterns = [
    path("healthz", healthz),
    path("api/telemetry/", api.urls),
]
handler400 = _bad_request
handler404 = _not_found
handler500 = _failed
