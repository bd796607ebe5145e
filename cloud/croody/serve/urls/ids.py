"""URLs of the role `ids`."""

from pathlib import Path

from django.conf import settings
from django.urls import path

from croody.detection.nslkdd.api import make_api
from croody.detection.nslkdd.model import SHIPPED, Holder
from croody.web import refusals
from croody.web.health import healthz

holder = Holder(Path(settings.ENV.model_path) if settings.ENV.model_path else SHIPPED)
api = make_api(holder)
urlpatterns = [path("healthz", healthz), path("api/ids/", api.urls)]
handler400 = refusals.bad_request
handler404 = refusals.not_found
handler500 = refusals.failed
