"""Addresses of the handover."""

from django.urls import path

from croody.console.handover import views

urlpatterns = [
    path("", views.handover, name="console_handover"),
    path("sign/", views.sign, name="console_handover_sign"),
]
