"""Addresses of the upload page."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
