"""Calls about assignments: their way to acceptance, their masks, their measures, what is said about them."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import downloads, streams
from annotator.annotation import access, assign, comments, export, measure, progress, truth, truthfiles
from annotator.annotation.models import Assignment
from annotator.api.case import progress_json
from annotator.api.models import ApiToken
from annotator.api.rest import serializers as show
from annotator.api.rest.calls import Call
from annotator.api.rest.doors import need
from annotator.api.rest.people import named
from annotator.events import audit

ZIP = {(200, "application/zip"): OpenApiTypes.BINARY}


class Assignments(Call):
    """Your cases, and as a reviewer or manager those of everybody in your projects."""

    @extend_schema(parameters=[show.AssignmentFilters], responses=show.AssignmentFields(many=True))
    def get(self, request: Request) -> Response:
        asked = self.query(show.AssignmentFilters)
        fields = {"project": "task__project", "task": "task", "person": "person__username", "state": "state"}
        wanted = {fields[name]: value for name, value in asked.items()}
        return self.pages(show.AssignmentFields, access.assignments_of(self.person).filter(**wanted))


class AssignmentCall(Call):
    """One assignment, which whoever asks reaches."""

    writes = ApiToken.Scope.WORK

    def case(self, assignment_id: int) -> Assignment:
        return self.find(access.assignments_of(self.person), pk=assignment_id)


class OneAssignment(AssignmentCall):
    """One assignment, and what you can do about it."""

    @extend_schema(responses=show.AssignmentDetail)
    def get(self, request: Request, assignment_id: int) -> Response:
        return self.show(show.AssignmentDetail, self.case(assignment_id))


class Moves(AssignmentCall):
    """The way of a case: submitted, taken back, skipped, handed back, accepted, returned, withdrawn, reopened."""

    @extend_schema(request=show.NewMove, responses=show.Progress)
    def post(self, request: Request, assignment_id: int) -> Response:
        """Make a move; to skip, return and reopen needs a reason, and to withdraw and reopen the scope `manage`."""
        case, asked = self.case(assignment_id), self.body(show.NewMove)
        move = progress.MOVES.get(asked["move"])
        if move and move.allows is access.may_manage:
            need(request, ApiToken.Scope.MANAGE)
        progress.make(asked["move"], self.person, case, asked["reason"])
        return Response(progress_json(self.person, case))


class Reassign(AssignmentCall):
    """A case for somebody else."""

    writes = ApiToken.Scope.MANAGE

    @extend_schema(request=show.Reassign, responses={201: show.AssignmentFields})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Withdraw the case and give it to another member, with the work so far or blank."""
        case, asked = self.case(assignment_id), self.body(show.Reassign)
        if not access.may_manage(self.person, case):
            raise Http404(_("There is no such assignment."))
        (person,) = named(case.task.project, [asked["person"]])
        theirs = assign.reassign(case, person, self.person, asked["keep_work"])
        return self.show(show.AssignmentFields, theirs, 201)


class Masks(AssignmentCall):
    """The masks of one assignment."""

    @extend_schema(responses=ZIP)
    def get(self, request: Request, assignment_id: int) -> HttpResponse:
        """A zip with a NIfTI volume in the geometry of its source, and a JSON that says what made it."""
        case = self.case(assignment_id)
        packed = export.archive(case)
        audit.note(self.person, "exported", case, case.task.project_id)
        headers = downloads.headers(f"{export.file_stem(case)}.zip")
        return HttpResponse(packed, content_type="application/zip", headers=headers)


class AcceptedMasks(Call):
    """The accepted masks of a project."""

    @extend_schema(responses=ZIP)
    def get(self, request: Request, project_id: int) -> streams.Stream:
        """A zip with a folder for every accepted case, a manifest and the agreement report; for managers."""
        project = self.managed(project_id)
        cases = truth.tasks_with_truth(project).count()
        audit.note(self.person, "exported", project, project.pk, what="ground truth", cases=cases)
        return streams.download(truthfiles.pieces(project), truthfiles.file_name(project), "application/zip")


class Measures(AssignmentCall):
    """What the masks measure."""

    pagination_class = None

    @extend_schema(responses=show.Measure(many=True))
    def get(self, request: Request, assignment_id: int) -> Response:
        """A line for every slice of a label, and one for all of them, where `slice` is null."""
        case = self.case(assignment_id)
        try:
            rows = [
                {**row._asdict(), "slice": None if row.slice == "all" else row.slice} for row in measure.table(case)
            ]
        except FileNotFoundError as gone:
            sentence = _("The voxels of this series are no longer here, so nothing can be measured.")
            raise Http404(sentence) from gone
        return Response(rows)


class Comments(AssignmentCall):
    """What is said about a case, resolved or not."""

    @extend_schema(responses=show.CommentFields(many=True))
    def get(self, request: Request, assignment_id: int) -> Response:
        return self.pages(show.CommentFields, comments.thread(self.case(assignment_id)))

    @extend_schema(request=show.CommentFields, responses={201: show.CommentFields})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Say something about a slice, or about a point of it."""
        case, fields = self.case(assignment_id), self.body(show.CommentFields)
        y, x = fields.get("y"), fields.get("x")
        if (y is None) != (x is None):
            raise ValidationError(_("A point has both y and x; a comment on the whole slice has neither."))
        point = None if y is None or x is None else (y, x)
        made = comments.add(self.person, case, fields["text"], fields["z"], point, fields.get("label_id"))
        return self.show(show.CommentFields, made, 201)


class OneComment(AssignmentCall):
    """One comment."""

    @extend_schema(request=show.CommentChange, responses=show.CommentFields)
    def patch(self, request: Request, assignment_id: int, comment_id: int) -> Response:
        """Resolve it, or open it again."""
        comment = self.find(comments.thread(self.case(assignment_id)), pk=comment_id)
        resolved = self.body(show.CommentChange)["resolved"]
        return self.show(show.CommentFields, comments.resolve(self.person, comment, resolved))
