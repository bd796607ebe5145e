"""Addresses of rules, channels and the log of notices."""

from django.urls import path

from croody.console.rules import acts, own, views

urlpatterns = [
    path("", views.rules, name="console_rules"),
    path("new/", views.new_rule, name="console_rule_new"),
    path("<int:number>/", views.rule, name="console_rule"),
    path("<int:number>/delete/", acts.delete_rule, name="console_rule_delete"),
    path("<int:number>/bring-back/", acts.bring_rule_back, name="console_rule_bring_back"),
    path("channels/new/", views.new_channel, name="console_channel_new"),
    path("mine/", own.by_mail, name="console_own_channel"),
    path("mine/browsers/", own.in_browsers, name="console_own_browsers"),
    path("mine/browsers/add/", own.subscribe, name="console_browser_add"),
    path("mine/browsers/<int:number>/delete/", own.forget, name="console_browser_delete"),
    path("channels/<int:number>/", views.channel, name="console_channel"),
    path("channels/<int:number>/delete/", acts.delete_channel, name="console_channel_delete"),
    path("channels/<int:number>/test/", acts.test_channel, name="console_channel_test"),
]
