"""The desk's own pages; the middleware gives each the scope that staff work in."""

from django.contrib import admin
from django.urls import path

from desk import home

app_name = "desk"
urlpatterns = [
    path("live/", admin.site.admin_view(home.live), name="live"),
]
