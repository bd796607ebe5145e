"""Addresses of a robot's maintenance."""

from django.urls import path

from croody.console.maintenance import views

urlpatterns = [
    path("robots/<robot:robot_id>/maintenance/", views.maintenance, name="console_maintenance"),
    path("robots/<robot:robot_id>/maintenance/start/", views.start, name="console_maintenance_start"),
    path("robots/<robot:robot_id>/maintenance/end/", views.end, name="console_maintenance_end"),
]
