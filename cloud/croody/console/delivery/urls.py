"""Addresses of the pages about deliveries."""

from django.urls import path

from croody.console.delivery import views

_ROBOT = "delivery/<robot:robot_id>/"
urlpatterns = [
    path("delivery/", views.deliveries, name="console_delivery"),
    path(_ROBOT, views.of_robot, name="console_delivery_robot"),
    path(f"{_ROBOT}proof/", views.proof, name="console_delivery_proof"),
    path(f"{_ROBOT}proof/export/", views.proof_file, name="console_delivery_proof_export"),
    path(f"{_ROBOT}letters/<int:number>/replay/", views.replay, name="console_delivery_replay"),
    path(f"{_ROBOT}letters/<int:number>/discard/", views.discard, name="console_delivery_discard"),
]
