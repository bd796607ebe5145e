"""Addresses below `/tienda/`. What is no word of ours here is a product."""

from django.urls import path

from croody.shop import cart_api, cart_views, checkout, order_views, payment_views, pictures, views, wait_views
from croody.shop.staff import customer_views, picture_views, product_views
from croody.shop.staff import views as staff

urlpatterns = [
    path("", views.catalogue, name="shop"),
    path("carrito/", cart_views.cart, name="shop_cart"),
    path("carrito/agregar/", cart_views.add, name="shop_cart_add"),
    path("carrito/cambiar/", cart_views.change, name="shop_cart_change"),
    path("carrito/cupon/", cart_views.coupon, name="shop_coupon"),
    path("api/cart/", cart_api.show, name="shop_api_cart"),
    path("api/cart/add/", cart_api.add, name="shop_api_cart_add"),
    path("api/cart/change/", cart_api.change, name="shop_api_cart_change"),
    path("pagar/", checkout.checkout, name="shop_checkout"),
    path("pedidos/<str:name>/<str:secret>/", order_views.order, name="shop_order"),
    path("pedidos/<str:name>/<str:secret>/pagar/", order_views.pay, name="shop_pay"),
    path("pedidos/<str:name>/<str:secret>/cancelar/", order_views.cancel, name="shop_cancel"),
    path("pedidos/<str:name>/<str:secret>/factura/", order_views.invoice, name="shop_invoice"),
    path("pedidos/<str:name>/<str:secret>/placas/", order_views.take_in, name="shop_take_in"),
    path("pago/aviso/<slug:provider>/", payment_views.notice, name="shop_notice"),
    path("pago/prueba/<slug:reference>/", payment_views.bank, name="shop_bank"),
    path("gestion/", staff.board, name="shop_keep"),
    path("gestion/pedidos/<int:number>/", staff.order, name="shop_keep_order"),
    path("gestion/pedidos/<int:number>/mover/", staff.move, name="shop_keep_move"),
    path("gestion/pedidos/<int:number>/devolver/", staff.refund, name="shop_keep_refund"),
    path("gestion/clientes/", customer_views.listed, name="shop_keep_customers"),
    path("gestion/clientes/<int:number>/", customer_views.one, name="shop_keep_customer"),
    path("gestion/productos/", staff.products, name="shop_keep_products"),
    path("gestion/productos.csv", product_views.export, name="shop_keep_export"),
    path("gestion/productos/importar/", product_views.take_in, name="shop_keep_import"),
    path("gestion/productos/<int:number>/almacen/", staff.book_in, name="shop_keep_stock"),
    path("gestion/productos/<int:number>/fotos/", picture_views.page, name="shop_keep_pictures"),
    path("gestion/productos/<int:number>/fotos/<int:picture>/", picture_views.change, name="shop_keep_picture"),
    path("fotos/<str:name>", pictures.file, name="shop_picture"),
    path("aviso/<str:token>/", wait_views.confirm, name="shop_wait_confirm"),
    path("<slug:slug>/avisame/", wait_views.ask, name="shop_wait"),
    path("<slug:slug>/", views.product, name="shop_product"),
]
