"""Addresses of what is done to many robots."""

from django.urls import path

from croody.console.many import views

urlpatterns = [
    path("many/", views.ask, name="console_many"),
    path("many/undo/", views.undo, name="console_many_undo"),
    path("many/<slug:verb>/", views.act, name="console_many_act"),
]
