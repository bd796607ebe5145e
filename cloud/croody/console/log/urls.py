"""Addresses of the log."""

from django.urls import path

from croody.console.log import views

urlpatterns = [
    path("log/", views.log, name="console_log"),
    path("log/export/", views.export, name="console_log_export"),
]
