"""Addresses of the access page and its acts."""

from django.urls import path

from croody.console.access import views

urlpatterns = [
    path("", views.access, name="console_access"),
    path("<slug:organisation>/", views.access_of, name="console_access_of"),
    path("<slug:organisation>/invite/", views.invite, name="console_invite"),
    path("<slug:organisation>/invitations/<int:number>/revoke/", views.revoke_invitation, name="console_revoke_invitation"),
    path("<slug:organisation>/members/<int:number>/role/", views.change_role, name="console_change_role"),
    path("<slug:organisation>/members/<int:number>/remove/", views.remove, name="console_remove_member"),
    path("<slug:organisation>/settings/", views.change_settings, name="console_access_settings"),
    path("<slug:organisation>/leave/", views.leave, name="console_leave"),
    path("<slug:organisation>/tokens/make/", views.make_token, name="console_make_token"),
    path("<slug:organisation>/tokens/<int:number>/revoke/", views.revoke_token, name="console_revoke_token"),
]
