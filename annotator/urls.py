"""Every address of the site."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from annotator.annotation import pages
from annotator.health import healthz
from annotator.projects import audit

urlpatterns = [
    path("", pages.my_work, name="my_work"),
    path("projects/<int:project_id>/next/", pages.next_case, name="next_case"),
    path("cases/<int:assignment_id>/", pages.case, name="case"),
    path("cases/<int:assignment_id>/export/", pages.download, name="export"),
    path("cases/<int:assignment_id>/measures.csv", pages.measures, name="measures"),
    path("projects/", include("annotator.projects.urls")),
    path("", include("annotator.studies.urls")),
    path("", include("annotator.events.urls")),
    path("models/", include("annotator.learning.urls")),
    path("audit/", audit.site_audit, name="site_audit"),
    path("audit.csv", audit.site_audit_csv, name="site_audit_csv"),
    path("", include("annotator.accounts.urls")),
    path("api/", include("annotator.api.urls")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
]
