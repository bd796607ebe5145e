"""Addresses of the page of one robot."""

from django.urls import path

from croody.console.robot import acts, views

_ROBOT = "robots/<robot:robot_id>/"
urlpatterns = [
    path(_ROBOT, views.robot, name="console_robot"),
    path(f"{_ROBOT}stream", views.stream, name="console_robot_stream"),
    path(f"{_ROBOT}series", views.drawing, name="console_robot_series"),
    path(f"{_ROBOT}table/", views.table, name="console_robot_table"),
    path(f"{_ROBOT}log/", views.log, name="console_robot_log"),
    path(f"{_ROBOT}pictures/<int:number>.jpg", views.picture, name="console_robot_picture"),
    path(f"{_ROBOT}logs/", acts.logs, name="console_robot_logs"),
    path(f"{_ROBOT}notes/", acts.notes, name="console_robot_notes"),
    path(f"{_ROBOT}rotate/", acts.rotate, name="console_robot_rotate"),
    path(f"{_ROBOT}rotate-itself/", acts.rotate_itself, name="console_robot_rotate_itself"),
    path(f"{_ROBOT}revoke/", acts.revoke, name="console_robot_revoke"),
    path(f"{_ROBOT}bring-back/", acts.bring_back, name="console_robot_bring_back"),
    path(f"{_ROBOT}letters/<int:number>/replay/", acts.replay, name="console_robot_replay"),
    path(f"{_ROBOT}alarms/<int:number>/close/", acts.close, name="console_robot_close"),
]
