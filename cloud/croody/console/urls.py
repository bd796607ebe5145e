"""Addresses below `/console/`: each page's own."""

from django.urls import include, path, register_converter

from croody.console.access import views as access
from croody.web.converters import RobotId

register_converter(RobotId, "robot")
urlpatterns = [
    path("", include("croody.console.fleet.urls")),
    path("", include("croody.console.many.urls")),
    path("", include("croody.console.map.urls")),
    path("", include("croody.console.find.urls")),
    path("", include("croody.console.maintenance.urls")),
    path("", include("croody.console.delivery.urls")),
    path("", include("croody.console.kpis.urls")),
    path("", include("croody.console.log.urls")),
    path("", include("croody.console.system.urls")),
    path("", include("croody.console.detection.urls")),
    path("", include("croody.console.add_robot.urls")),
    path("organisations/new/", access.new_organisation, name="console_new_organisation"),
    path("access/", include("croody.console.access.urls")),
    path("alerts/", include("croody.console.alerts.urls")),
    path("", include("croody.console.robot_edit.urls")),
    path("", include("croody.console.sites.urls")),
    path("", include("croody.console.robot.urls")),
    path("handover/", include("croody.console.handover.urls")),
    path("rules/", include("croody.console.rules.urls")),
]
