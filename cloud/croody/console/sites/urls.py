"""Its addresses."""

from django.urls import path

from croody.console.sites import views

urlpatterns = [
    path("sites/", views.index, name="console_sites"),
    path("sites/<int:number>/", views.one, name="console_site"),
    path("sites/<int:number>/delete/", views.delete, name="console_site_delete"),
]
