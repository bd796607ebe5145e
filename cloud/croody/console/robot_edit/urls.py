"""Its addresses."""

from django.urls import path

from croody.console.robot_edit import views

_ROBOT = "robots/<robot:robot_id>/"
urlpatterns = [
    path(f"{_ROBOT}edit/", views.edit, name="console_robot_edit"),
    path(f"{_ROBOT}edit/label/", views.label, name="console_robot_label"),
    path(f"{_ROBOT}edit/tags/", views.tags, name="console_robot_tags"),
    path(f"{_ROBOT}edit/site/", views.site, name="console_robot_site"),
    path(f"{_ROBOT}edit/share/", views.share, name="console_robot_share"),
]
