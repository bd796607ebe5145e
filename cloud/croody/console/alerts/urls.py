"""Addresses of the inbox."""

from django.urls import path

from croody.console.alerts import acts, all_that_match, views
from croody.console.alerts.stream import stream

urlpatterns = [
    path("", views.inbox, name="console_alerts"),
    path("<int:number>/", views.alarm, name="console_alert"),
    path("all/", all_that_match.ask, name="console_alerts_all"),
    path("all/<slug:verb>/", all_that_match.act, name="console_alerts_all_act"),
    path("act/<slug:verb>/", acts.act, name="console_alert_act"),
    path("undo/", acts.undo_acts, name="console_alert_undo"),
    path("exceptions/", views.exceptions, name="console_exceptions"),
    path("exceptions/<int:number>/end/", acts.end_exception, name="console_exception_end"),
    path("stream/", stream, name="console_alerts_stream"),
]
