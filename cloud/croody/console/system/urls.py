"""Address of the page about Croody itself."""

from django.urls import path

from croody.console.system import views

urlpatterns = [
    path("system/", views.system, name="console_system"),
]
