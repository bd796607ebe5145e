"""URLs of the role `telemetry`."""

from django.urls import path
from django.views.generic import RedirectView

from croody.alarms.api import router as alarms_router
from croody.detection.incidents.http import router as security_router
from croody.telemetry.http.api import api
from croody.telemetry.http.bridge import router as bridge_router
from croody.telemetry.http.letters import router as letters_router
from croody.web import refusals
from croody.web.health import healthz

api.add_router("", alarms_router)
api.add_router("", bridge_router)
api.add_router("", security_router)
api.add_router("/dead-letters", letters_router)


urlpatterns = [
    path("healthz", healthz),
    # Scripts of the earlier Croody ask for it.
    path("api/telemetry/redoc", RedirectView.as_view(url="/api/telemetry/docs")),
    path("api/telemetry/", api.urls),
]
handler400 = refusals.bad_request
handler404 = refusals.not_found
handler500 = refusals.failed
