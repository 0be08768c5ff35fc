"""Tokens for programs that act for a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A secret with which a program acts for a person, within its scopes, until it expires or is revoked."""

    class Scope(models.TextChoices):
        READ = "read", "see what the person sees"
        WORK = "work", "do the person's own cases"
        MANAGE = "manage", "manage projects, people and cases"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=64, help_text="what it is for")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret, which is not kept")
    scopes = models.JSONField(default=list, help_text="values of Scope")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} of {self.person}"
