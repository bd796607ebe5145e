"""URLs of the role `ids`."""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path

from croody.accounts.services import user_of_token
from croody.ids.access import Gate
from croody.ids.api import make_api
from croody.ids.model import SHIPPED, Holder


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers, with or without a model."""
    return JsonResponse({"status": "ok"})


def _not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"detail": f"there is nothing at {request.path[:200]}: see /api/ids/docs"}, status=404)


def _bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"detail": "the request cannot be read: look at its Host header and its address"}, status=400)


def _failed(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"detail": "something failed here; the log says what"}, status=500)


holder = Holder(Path(settings.ENV.model_path) if settings.ENV.model_path else SHIPPED)
gate = Gate(token=settings.ENV.ids_token, demo=settings.ENV.demo, user_of=user_of_token)
urlpatterns = [path("healthz", healthz), path("api/ids/", make_api(holder, gate).urls)]
handler400 = _bad_request
handler404 = _not_found
handler500 = _failed
