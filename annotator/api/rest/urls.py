"""Addresses of the REST API, below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, include, path
from django.urls.resolvers import URLResolver

from annotator.api.rest import assignments, calls, images, people, projects, record, schema, site, tasks

P, A = "projects/<int:project_id>/", "assignments/<int:assignment_id>/"

CALLS = [
    path("health/", site.Health.as_view()),
    path("me/", site.Me.as_view()),
    path("projects/", projects.Projects.as_view()),
    path(P, projects.OneProject.as_view()),
    path(f"{P}labels/", projects.Labels.as_view()),
    path(f"{P}labels/<int:label_id>/", projects.OneLabel.as_view()),
    path(f"{P}members/", people.Members.as_view()),
    path(f"{P}members/<int:person_id>/", people.OneMember.as_view()),
    path(f"{P}invitations/", people.Invitations.as_view()),
    path(f"{P}invitations/<int:invitation_id>/", people.OneInvitation.as_view()),
    path(f"{P}invitations/<int:invitation_id>/renew/", people.InvitationAgain.as_view()),
    path(f"{P}series/", images.ProjectSeries.as_view()),
    path(f"{P}uploads/", images.Uploads.as_view()),
    path(f"{P}tasks/", tasks.Tasks.as_view()),
    path(f"{P}spread/", tasks.SpreadTasks.as_view()),
    path(f"{P}next/", tasks.Next.as_view()),
    path(f"{P}masks/", assignments.AcceptedMasks.as_view()),
    path(f"{P}comparisons/", record.Comparisons.as_view()),
    path("series/<uuid:series_id>/", images.OneSeries.as_view()),
    path("uploads/<uuid:upload_id>/", images.OneUpload.as_view()),
    path("tasks/<int:task_id>/", tasks.OneTask.as_view()),
    path("tasks/<int:task_id>/assignments/", tasks.TaskAssignments.as_view()),
    path("assignments/", assignments.Assignments.as_view()),
    path(A, assignments.OneAssignment.as_view()),
    path(f"{A}moves/", assignments.Moves.as_view()),
    path(f"{A}reassign/", assignments.Reassign.as_view()),
    path(f"{A}masks/", assignments.Masks.as_view()),
    path(f"{A}measures/", assignments.Measures.as_view()),
    path(f"{A}comments/", assignments.Comments.as_view()),
    path(f"{A}comments/<int:comment_id>/", assignments.OneComment.as_view()),
    path("comparisons/<int:comparison_id>/agreements/", record.Agreements.as_view()),
    path("events/", record.Events.as_view()),
]

urlpatterns = [
    *CALLS,
    path("schema/", schema.schema, name="api_schema"),
    path("docs/", schema.docs, name="api_docs"),
    path("<path:rest>", calls.Nowhere.as_view()),
]


def described() -> list[URLPattern | URLResolver]:
    """What the schema describes, at its full addresses."""
    return [path("api/v1/", include(CALLS))]
