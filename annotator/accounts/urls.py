"""Addresses of accounts: one's own, new passwords, invitations, and the admins' list of people."""

from django.contrib.auth import views as auth
from django.urls import path, reverse_lazy

from annotator.accounts import pages

urlpatterns = [
    path("account/", pages.account, name="account"),
    path("account/tokens/", pages.make_token, name="make_token"),
    path("account/tokens/<int:token_id>/revoke/", pages.revoke_token, name="revoke_token"),
    path("account/language/", pages.set_language, name="set_language"),
    path(
        "account/password/",
        auth.PasswordChangeView.as_view(
            template_name="accounts/password.html", success_url=reverse_lazy("password_changed")
        ),
        name="password_change",
    ),
    path(
        "account/password/done/",
        auth.PasswordChangeDoneView.as_view(template_name="accounts/password_changed.html"),
        name="password_changed",
    ),
    path(
        "password/",
        auth.PasswordResetView.as_view(
            template_name="accounts/reset.html",
            email_template_name="accounts/reset_mail.txt",
            subject_template_name="accounts/reset_subject.txt",
        ),
        name="password_reset",
    ),
    path(
        "password/sent/",
        auth.PasswordResetDoneView.as_view(template_name="accounts/reset_sent.html"),
        name="password_reset_done",
    ),
    path(
        "password/<uidb64>/<token>/",
        auth.PasswordResetConfirmView.as_view(template_name="accounts/reset_confirm.html"),
        name="password_reset_confirm",
    ),
    path(
        "password/set/",
        auth.PasswordResetCompleteView.as_view(template_name="accounts/reset_complete.html"),
        name="password_reset_complete",
    ),
    path("invitations/<str:secret>/", pages.invitation, name="invitation"),
    path("people/", pages.site_people, name="site_people"),
    path("people/<int:person_id>/", pages.site_person, name="site_person"),
    path("people/<int:person_id>/<str:deed>/", pages.change_person, name="change_person"),
]
