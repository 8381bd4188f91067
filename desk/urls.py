"""The desk's own pages; the middleware gives each the scope that staff work in."""

from django.contrib import admin
from django.urls import path

from desk import home, review, saved_views

app_name = "desk"
urlpatterns = [
    path("live/", admin.site.admin_view(home.live), name="live"),
    path("review/", admin.site.admin_view(review.review), name="review"),
    path("views/", admin.site.admin_view(saved_views.save_view), name="views"),
]
