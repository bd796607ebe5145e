"""Address of the search."""

from django.urls import path

from croody.console.find import views

urlpatterns = [
    path("find", views.find, name="console_find"),
]
