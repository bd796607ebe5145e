"""Addresses of the page of weeks."""

from django.urls import path

from croody.console.kpis import views

urlpatterns = [
    path("kpis/", views.kpis, name="console_kpis"),
    path("kpis/export/", views.export, name="console_kpis_export"),
]
