"""What the viewer reads over HTTP. What a person may not see is answered like what does not exist: 404."""

from __future__ import annotations

import dataclasses
import json
import re
import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotator.annotation import access, adjudication, comments, history, progress, review, slicemasks
from annotator.api.case import case_json, comment_json, comments_json, progress_json
from annotator.events import audit
from annotator.login import person_of
from annotator.studies import store, thumbnail

# The voxels of a series never change.
IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
MISSING = {
    "adjudication": _("There is no such adjudication."),
    "assignment": _("There is no such assignment."),
    "comment": _("There is no such comment."),
    "series": _("There is no such series."),
    "slice": _("There is no such slice."),
}


@require_safe
@never_cache
def assignment(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """Everything about a case but its pictures, clicks and masks."""
    found = access.assignment_for(request.user, assignment_id)
    if found is None:
        return _missing("assignment")
    audit.saw(request.user, found, found.task.project_id)
    return JsonResponse(case_json(request.user, found))


@require_safe
@never_cache
def masks(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """The kept masks: repeated u32le length and mask frame."""
    found = access.assignment_for(request.user, assignment_id)
    if found is None:
        return _missing("assignment")
    return HttpResponse(slicemasks.frames(found.pk), content_type="application/octet-stream")


@require_safe
@never_cache
def readings(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """The two readings that an adjudication decides between: `{"readings": [{"person", "masks": [[label, z, base64], …]}]}`."""
    found = access.assignment_for(request.user, assignment_id)
    if found is None or found.kind != found.Kind.ADJUDICATION:
        return _missing("adjudication")
    try:
        return JsonResponse({"readings": adjudication.readings_json(found)})
    except adjudication.AdjudicationRefused as refused:
        return JsonResponse({"error": str(refused)}, status=409)


@require_safe
@never_cache
def steps(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """What undo and redo can reach, in the order in which it was made, each with the clicks of its slice after it.

    `most` is how many of the newest are listed.
    """
    found = access.assignment_for(request.user, assignment_id)
    if found is None:
        return _missing("assignment")
    most = request.GET.get("most", "200")
    if not re.fullmatch(r"[1-9]\d{0,5}", most):
        return JsonResponse({"error": "`most` is a number of steps from 1 to 999999."}, status=400)
    return JsonResponse(dataclasses.asdict(history.steps(found.pk, int(most))))


@require_POST
def moves(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """Submit, return, accept … the case: `{"move": …, "reason": …}`; 409 with a sentence where that cannot be."""
    found = access.assignment_for(request.user, assignment_id)
    if found is None:
        return _missing("assignment")
    try:
        wanted = json.loads(request.body)
        name, reason = wanted["move"], wanted.get("reason", "")
        if not isinstance(name, str) or not isinstance(reason, str):
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError):
        return JsonResponse({"error": "The body is a JSON object with `move` and perhaps `reason`."}, status=400)
    try:
        progress.make(name, person_of(request), found, reason)
    except progress.MoveRefused as refused:
        return JsonResponse({"error": str(refused)}, status=409)
    return JsonResponse(progress_json(request.user, found))


@require_http_methods(["GET", "POST"])
@never_cache
def comment_list(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """All comments of a case; or one more: `{"text": …, "z": …, "y": …, "x": …, "label": …}`, the last three may be left out.

    409 with a sentence where it cannot be.
    """
    found = access.assignment_for(request.user, assignment_id)
    if found is None:
        return _missing("assignment")
    if request.method == "GET":
        return JsonResponse({"comments": comments_json(found)})
    try:
        wanted = json.loads(request.body)
        text, z, label = wanted["text"], _number(wanted["z"]), wanted.get("label")
        point = [wanted.get("y"), wanted.get("x")]
        if not isinstance(text, str):
            raise TypeError
        at = None if point == [None, None] else (_number(point[0]), _number(point[1]))
        label_id = None if label is None else _number(label)
    except (ValueError, TypeError, KeyError, AttributeError):
        sentence = "The body is a JSON object with `text`, `z` and perhaps `y` and `x`, and `label`."
        return JsonResponse({"error": sentence}, status=400)
    try:
        made = comments.add(person_of(request), found, text, z, at, label_id)
    except comments.CommentRefused as refused:
        return JsonResponse({"error": str(refused)}, status=409)
    return JsonResponse(comment_json(made), status=201)


@require_POST
def comment(request: HttpRequest, assignment_id: int, comment_id: int) -> HttpResponse:
    """Resolve a comment, or open it again: `{"resolved": true}`; 409 with a sentence where that cannot be."""
    found = access.assignment_for(request.user, assignment_id)
    if found is None:
        return _missing("assignment")
    said = comments.thread(found).filter(pk=comment_id).first()
    if said is None:
        return _missing("comment")
    try:
        resolved = json.loads(request.body)["resolved"]
        if not isinstance(resolved, bool):
            raise TypeError
    except (ValueError, TypeError, KeyError):
        return JsonResponse({"error": "The body is a JSON object with `resolved`, true or false."}, status=400)
    try:
        return JsonResponse(comment_json(comments.resolve(person_of(request), said, resolved)))
    except comments.CommentRefused as refused:
        return JsonResponse({"error": str(refused)}, status=409)


@require_POST
def revision(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """The reviewer's own copy of a submitted case, to be edited: where it is. 409 with a sentence where that cannot be."""
    found = access.assignment_for(request.user, assignment_id)
    if found is None:
        return _missing("assignment")
    try:
        made = review.revise(found, person_of(request))
    except review.ReviseRefused as refused:
        return JsonResponse({"error": str(refused)}, status=409)
    return JsonResponse({"id": made.pk, "url": reverse("case", args=[made.pk])})


@require_safe
def slice_pixels(request: HttpRequest, series_id: uuid.UUID, z: int) -> HttpResponse:
    """One slice, int16 little-endian row by row, in the gzip form in which it is stored."""
    series = access.series_for(request.user, series_id)
    if series is None or z >= series.depth:
        return _missing("slice")
    try:
        pixels = store.slice_bytes(series, z)
    except FileNotFoundError:
        return _missing("slice")
    headers = {**IMMUTABLE, "Content-Encoding": "gzip"}
    return HttpResponse(pixels, content_type="application/octet-stream", headers=headers)


@require_safe
def thumbnail_png(request: HttpRequest, series_id: uuid.UUID) -> HttpResponse:
    """A small picture of the series."""
    series = access.series_for(request.user, series_id)
    if series is None:
        return _missing("series")
    try:
        return HttpResponse(thumbnail.png(series), content_type="image/png", headers=IMMUTABLE)
    except FileNotFoundError:
        return _missing("series")


def _number(value: object) -> int:
    """A whole number of JSON. Raises TypeError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _missing(what: str) -> JsonResponse:
    return JsonResponse({"error": str(MISSING[what])}, status=404)
