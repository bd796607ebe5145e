"""Addresses of the fleet's page."""

from django.urls import path

from croody.console.fleet import views

urlpatterns = [
    path("", views.fleet, name="console"),
    path("stream", views.stream, name="console_stream"),
]
