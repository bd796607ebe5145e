"""Addresses of people's own pages."""

from django.urls import path

from croody.accounts import views
from croody.accounts.rules import open_to

urlpatterns = [
    path("acceder/", open_to("anybody")(views.LogIn.as_view()), name="login"),
    path("salir/", open_to("anybody")(views.LogOut.as_view()), name="logout"),
    path("registro/", views.register, name="register"),
    path("entrar/<str:token>/", views.one_time_login, name="one_time_login"),
    path("perfil/", views.profile, name="profile"),
    path("perfil/clave/", views.reset_token, name="reset_token"),
    path("perfil/clave/revocar/", views.revoke_token, name="revoke_token"),
    path("perfil/contrasena/", views.set_password, name="set_password"),
]
