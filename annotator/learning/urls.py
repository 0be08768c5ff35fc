"""Addresses of the admins' pages about models."""

from django.urls import path

from annotator.learning.pages import patients

urlpatterns = [
    path("patients/", patients.patients, name="patients"),
]
