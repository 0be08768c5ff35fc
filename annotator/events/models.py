"""What happened, for ever, and what people are to be told of it. The lowest app: it points at nobody's tables but people."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotator.events import sentences


def _refuse(model: type[models.Model]) -> NoReturn:
    raise TypeError(f"Rows of “{model._meta.verbose_name}” are append-only: each is written once.")


class WrittenOnce(models.QuerySet):
    """Rows that nothing changes or removes."""

    def update(self, **fields: Any) -> NoReturn:
        _refuse(self.model)

    def delete(self) -> NoReturn:
        _refuse(self.model)

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:
        _refuse(self.model)

    def bulk_create(self, *args: Any, **options: Any) -> list[Any]:
        if options.get("update_conflicts") or len(args) > 1:
            _refuse(self.model)
        return super().bulk_create(*args, **options)


class Once(models.Model):
    """A row that is written once."""

    objects = WrittenOnce.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            _refuse(type(self))
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        _refuse(type(self))


class Event(Once):
    """One line of the audit record: who did what to which thing.

    It keeps numbers and names rather than foreign keys, so it survives whatever it speaks of.
    """

    at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    person_id = models.PositiveBigIntegerField(null=True, help_text="auth.User; null for the program itself")
    person = models.CharField(max_length=150, blank=True, help_text="the name at that time")
    verb = models.CharField(max_length=32, db_index=True, help_text="saw, changed, exported, assigned, accepted …")
    kind = models.CharField(max_length=32, help_text="the thing's model, e.g. assignment")
    thing_id = models.CharField(max_length=64, blank=True)
    thing = models.CharField(max_length=255, help_text="the thing's name at that time")
    project_id = models.PositiveBigIntegerField(null=True, db_index=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.person or 'the program'} {self.verb} {self.thing}"


class Notice(models.Model):
    """News for one person: shown in the app at once, and in the daily digest until it has been seen."""

    class Kind(models.TextChoices):
        ASSIGNED = "assigned"
        RETURNED = "returned"
        DUE = "due"
        SCORED = "scored"
        PASSED = "passed"
        REFUSED = "refused"
        EVALUATED = "evaluated"
        FAILED = "failed"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=Kind)
    about = models.JSONField(default=dict, help_text="what its sentence speaks of (annotator.events.sentences)")
    text = models.CharField(max_length=255, blank=True, help_text="of older ones: the sentence as it was written then")
    url = models.CharField(max_length=255, help_text="where it leads, a path on this site")
    at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True, help_text="when a digest had it")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["person", "seen_at"])]

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """What it says, in the language that is active."""
        return sentences.of(self.kind, self.about) if self.about else self.text


class Reader(models.Model):
    """A person's language (`annotator.events.language`)."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    language = models.CharField(max_length=10)

    def __str__(self) -> str:
        return f"{self.person} reads {self.language}"
