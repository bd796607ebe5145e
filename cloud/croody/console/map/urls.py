"""Addresses of the map's page."""

from django.urls import path

from croody.console.map import views

urlpatterns = [
    path("map/", views.chart, name="console_map"),
    path("map/stream", views.stream, name="console_map_stream"),
]
