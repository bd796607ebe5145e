"""Addresses of the web role. Each also works below `/es/` and `/en/`: see `web.language`."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import include, path, re_path, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from croody.accounts.rules import open_to
from croody.api.v1 import api, nothing_here
from croody.live.views import stream
from croody.monitor import alarm_views
from croody.monitor import views as monitor
from croody.shop import address_views
from croody.shop.order_views import mine
from croody.site import about, integrate, own_data_views, search_engines, visitors
from croody.site.views import home, status
from croody.web.health import earlier_health
from croody.web.views import bad_request, failed, not_found


@never_cache
@open_to("anybody")
def enter_admin(request: HttpRequest) -> HttpResponse:
    """The way into the admin site is the site's own, with its second factor. Who is signed in and has no business there is told so."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        return render(request, "admin/no_staff.html", status=403)
    wanted = request.GET.get("next", "")
    target = wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else reverse("admin:index")
    return redirect(target if request.user.is_authenticated else f"{reverse('login')}?{urlencode({'next': target})}")


@open_to("staff")
def leave_admin(request: HttpRequest) -> HttpResponse:
    """The admin site's log-out, by its button alone: who comes by the address is led to where the button is."""
    return admin.site.logout(request) if request.method == "POST" else redirect("admin:index")


admin.site.site_title = "Croody"
admin.site.site_header = _("Administración de Croody")
admin.site.index_title = _("Cuentas, robots y datos")

handler400 = bad_request
handler404 = not_found
handler500 = failed
urlpatterns = [
    # Who knows no link to an icon, as the admin site, asks here.
    path("favicon.ico", open_to("anybody")(RedirectView.as_view(url=static("web/favicon-live.svg")))),
    path("", home, name="home"),
    path("estado/", status, name="status"),
    path("health/", open_to("anybody")(earlier_health)),
    path("robots/monitor/", monitor.monitor, name="monitor"),
    path("robots/monitor/deteccion/", monitor.detection, name="monitor_detection"),
    path("robots/monitor/alertas/", alarm_views.alarms, name="monitor_alarms"),
    path("robots/monitor/alertas/<int:number>/cerrar/", alarm_views.close, name="close_alarm"),
    path("robots/monitor/stream", monitor.stream, name="monitor_stream"),
    path("console/", include("croody.console.urls")),
    path("nosotros/", about.about, name="about"),
    path("buddy/", about.buddy, name="buddy"),
    path("buddy/suscripciones/", visitors.plans, name="buddy_plans"),
    path("buddy/suscripciones/<str:token>/", visitors.confirm, name="buddy_confirm"),
    path("integrar/", integrate.integrate, name="integrate"),
    path("contacto/", visitors.contact, name="contact"),
    path("legal/<slug:slug>/", about.legal, name="legal"),
    path("robots.txt", search_engines.robots),
    path("sitemap.xml", search_engines.sitemap),
    # Addresses of the earlier Croody.
    re_path("^redoc/?$", open_to("anybody")(RedirectView.as_view(url="/api/v1/docs", permanent=True))),
    path("integraciones/", about.leads_to("integrate")),
    path("luks/", about.leads_to("buddy")),
    path("mi-cuenta/", about.leads_to("profile")),
    path("mi-cuenta/pedidos/", about.leads_to("shop_mine")),
    path("mi-cuenta/direcciones/", about.leads_to("shop_addresses")),
    path("mi-cuenta/<path:rest>", about.leads_to("profile")),
    path("tienda/gestion/mensajes/", visitors.messages_of_visitors, name="messages_of_visitors"),
    path("tienda/gestion/beta.csv", visitors.export_beta, name="export_beta"),
    path("tienda/", include("croody.shop.urls")),
    path("cuenta/datos/", own_data_views.page, name="own_data"),
    path("cuenta/datos/descargar/", own_data_views.export, name="export_own_data"),
    path("cuenta/datos/borrar/", own_data_views.leave, name="leave"),
    path("cuenta/datos/quedarme/", own_data_views.stay, name="stay"),
    path("cuenta/pedidos/", mine, name="shop_mine"),
    path("cuenta/direcciones/", address_views.listed, name="shop_addresses"),
    path("cuenta/direcciones/<int:number>/", address_views.one, name="shop_address"),
    path("cuenta/", include("croody.accounts.urls")),
    path("api/telemetry/stream", stream, name="telemetry_stream"),
    path("api/v1/", api.urls),
    path("api/v1/<path:rest>", open_to("anybody")(nothing_here)),
    path("admin/login/", enter_admin),
    path("admin/logout/", leave_admin),
    path("admin/", admin.site.urls),
]
