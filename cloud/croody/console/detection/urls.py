"""Its addresses."""

from django.urls import path

from croody.console.detection import views

urlpatterns = [
    path("detection/", views.index, name="console_detection"),
    path("detection/<int:number>/", views.say, name="console_detection_say"),
]
