"""Its addresses."""

from django.urls import path

from croody.console.add_robot import views

urlpatterns = [
    path("robots/new/", views.new, name="console_add_robot"),
    path("robots/new/<robot:robot_id>/", views.join, name="console_join_robot"),
    path("robots/new/<robot:robot_id>/claim/", views.claim, name="console_claim_robot"),
]
