"""Studies, series and uploads: the images, before anybody labels them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Study(models.Model):
    """DICOM's study: one examination of one patient. Splits and permissions never look further up than this."""

    uid = models.CharField(max_length=64, unique=True, help_text="StudyInstanceUID, or one made from the file's hash")
    patient = models.CharField(max_length=64, blank=True, help_text="PatientID as it stands in the files")
    description = models.CharField(max_length=255, blank=True)
    date = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["patient", "date", "uid"]

    def __str__(self) -> str:
        return self.description or self.uid


class Series(models.Model):
    """One volume: int16 Hounsfield units [z, y, x]; x towards left, y towards posterior, z towards superior.

    The voxels lie in the default storage below `prefix`, a Zarr v3 array with one gzip chunk per slice (see `store`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    uid = models.CharField(max_length=64, unique=True, help_text="SeriesInstanceUID, or one made from the file's hash")
    description = models.CharField(max_length=255, blank=True)
    modality = models.CharField(max_length=16, default="CT")
    depth = models.PositiveIntegerField(help_text="slices, z")
    height = models.PositiveIntegerField(help_text="rows, y")
    width = models.PositiveIntegerField(help_text="columns, x")
    spacing = models.JSONField(help_text="[z, y, x] in mm")
    geometry = models.JSONField(help_text="segmodel.volumes.Geometry: the way back to the source file")
    warnings = models.JSONField(default=list, blank=True, help_text="sentences that the import had to say")
    synthetic = models.BooleanField(default=False, help_text="made by the phantom, not by a scanner")
    sha256 = models.CharField(max_length=64, help_text="of the voxels, so that a second import is recognised")
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "series"
        ordering = ["study", "description", "uid"]

    def __str__(self) -> str:
        return self.description or f"{self.modality}, {self.depth} slices"

    @property
    def prefix(self) -> str:
        return f"series/{self.id}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x)"""
        return self.depth, self.height, self.width


class Upload(models.Model):
    """One drop on the upload page and what became of it; `report` has a line per series."""

    class State(models.TextChoices):
        RECEIVED = "received"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project_id = models.PositiveBigIntegerField(
        help_text="annotation.Project; a number, as apps own tables in one direction"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=16, choices=State, default=State.RECEIVED)
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    report = models.JSONField(default=list, blank=True, help_text="[{name, series, outcome, sentences}]")
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="last sign of life of the job that runs it")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.person} {self.created_at:%Y-%m-%d %H:%M} {self.state}"

    @property
    def prefix(self) -> str:
        return f"uploads/{self.id}"
