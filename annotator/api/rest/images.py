"""Calls about series and their import."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.annotation import access
from annotator.api.rest import serializers as show
from annotator.api.rest.calls import Call
from annotator.api.rest.people import named
from annotator.studies import jobs, uploads
from annotator.studies.models import Series


class ProjectSeries(Call):
    """The series of a project: for reviewers and managers all, else those of your cases."""

    @extend_schema(responses=show.SeriesFields(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        project = self.find(access.projects_of(self.person), pk=project_id)
        tasks = access.tasks_of(self.person).filter(project=project)
        return self.pages(show.SeriesFields, Series.objects.filter(pk__in=tasks.values("series")))


class OneSeries(Call):
    """One series."""

    @extend_schema(responses=show.SeriesFields)
    def get(self, request: Request, series_id: uuid.UUID) -> Response:
        found = access.series_for(self.person, series_id)
        if found is None:
            raise Http404(_("There is no such series."))
        return self.show(show.SeriesFields, found)


class Uploads(Call):
    """What was uploaded to a project."""

    parser_classes = (MultiPartParser,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Files go into a folder of this request's own, as on the upload page; to be set before anything reads them."""
        with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="upload-") as folder:
            request.upload_handlers = [uploads.IntoFolder(request, Path(folder))]
            return super().dispatch(request, *args, **kwargs)

    @extend_schema(responses=show.UploadFields(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        project = self.managed(project_id)
        rows = uploads.of(self.person).filter(project_id=project.pk).select_related("person", "assignee")
        return self.pages(show.UploadFields, rows)

    @extend_schema(request={"multipart/form-data": show.NewUpload}, responses={201: show.UploadFields})
    def post(self, request: Request, project_id: int) -> Response:
        """Upload DICOM, NIfTI or zip files; ask the upload that is answered for how far its import is."""
        project = self.managed(project_id)
        files = [file for file in request.FILES.getlist("files") if isinstance(file, uploads.ReceivedFile)]
        name, paths = request.POST.get("assignee", ""), request.POST.getlist("paths")
        assignee = str(named(project, [name])[0].pk) if name else ""
        received = uploads.receive(project, self.person, assignee, files, paths)
        jobs.queue(received)
        return self.show(show.UploadFields, received, 201)


class OneUpload(Call):
    """How far an import is, and what became of each series."""

    @extend_schema(responses=show.UploadFields)
    def get(self, request: Request, upload_id: uuid.UUID) -> Response:
        found = uploads.find(self.person, upload_id)
        if found is None:
            raise Http404(_("There is no such upload."))
        return self.show(show.UploadFields, found)
