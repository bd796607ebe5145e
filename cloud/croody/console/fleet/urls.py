"""Addresses of the fleet's page."""

from django.urls import path

from croody.console.fleet import acts, views

urlpatterns = [
    path("", views.fleet, name="console"),
    path("stream", views.stream, name="console_stream"),
    path("robots/<robot:robot_id>/star/", acts.star, name="console_star"),
    path("views/", acts.save, name="console_save_view"),
    path("views/<int:number>/forget/", acts.forget, name="console_forget_view"),
]
