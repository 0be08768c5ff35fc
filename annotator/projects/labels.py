"""The label set of a project: labels one by one, from files of other programs, from another project."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotator import downloads
from annotator.annotation import access, labelfiles, labelsets
from annotator.annotation.labelsets import Entry, LabelRefused
from annotator.annotation.models import Label, Project
from annotator.login import person_of
from annotator.projects.forms import LabelForm
from annotator.projects.rooms import room, show

WRITERS = {"ctbl": labelfiles.write_slicer, "label": labelfiles.write_itksnap}


@require_http_methods(["GET", "HEAD", "POST"])
@room(access.projects_managed_by)
def labels(request: HttpRequest, project: Project) -> HttpResponse:
    """The label set, and a form that adds to it."""
    if request.method != "POST":
        return _list(request, project, _empty_form(project))
    form = LabelForm(request.POST)
    if form.is_valid():
        try:
            label = labelsets.add(project, person_of(request), **form.cleaned_data)
        except LabelRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The label %(name)s is there.") % {"name": label})
            return redirect("project_labels", project.pk)
    return _list(request, project, form, status=400)


@require_http_methods(["GET", "HEAD", "POST"])
@room(access.projects_managed_by)
def label(request: HttpRequest, project: Project, label_id: int) -> HttpResponse:
    """Change a label. Where masks stand under its name, it is said how many before it is done."""
    label = _label(project, label_id)
    form = LabelForm(request.POST or None, instance=label)
    touched, warned = labelsets.touched(label), False
    if form.is_valid():
        warned = touched is not None and form.touches(label) and "confirmed" not in request.POST
        if not warned:
            try:
                labelsets.change(_label(project, label_id), person_of(request), **form.cleaned_data)
                return redirect("project_labels", project.pk)
            except LabelRefused as refused:
                form.add_error(None, str(refused))
    context = {"label": label, "form": form, "touched": touched, "warned": warned}
    return show(request, project, "projects/label.html", context, status=400 if form.errors else 200)


@require_POST
@room(access.projects_managed_by)
def move(request: HttpRequest, project: Project, label_id: int) -> HttpResponse:
    """Move a label up or down the list by `steps`."""
    try:
        steps = int(request.POST.get("steps", ""))
    except ValueError:
        raise BadRequest("`steps` is a number.") from None
    labelsets.move(_label(project, label_id), person_of(request), steps)
    return redirect("project_labels", project.pk)


@require_POST
@room(access.projects_managed_by)
def delete(request: HttpRequest, project: Project, label_id: int) -> HttpResponse:
    """Delete a label that nobody has worked with."""
    label = _label(project, label_id)
    name = label.name
    try:
        labelsets.delete(label, person_of(request))
        messages.success(request, _("The label %(name)s is deleted.") % {"name": name})
    except LabelRefused as refused:
        messages.error(request, str(refused))
    return redirect("project_labels", project.pk)


@require_POST
@room(access.projects_managed_by)
def take(request: HttpRequest, project: Project) -> HttpResponse:
    """Show what a file or another project would add, and with `sure` add it."""
    content = request.POST.get("content", "").encode()
    if file := request.FILES.get("file"):
        content = file.read(labelfiles.LARGEST_FILE + 1)
    source = request.POST.get("project", "")
    try:
        proposal = labelsets.propose(project, _entries(request, content, source))
        if "sure" not in request.POST:
            context = {"proposal": proposal, "content": content.decode("utf-8-sig"), "source": source}
            return show(request, project, "projects/labels_proposed.html", context)
        added = labelsets.take(project, proposal, person_of(request))
    except LabelRefused as refused:
        messages.error(request, str(refused))
    else:
        number = len(added)
        messages.success(request, ngettext("%d label was added.", "%d labels were added.", number) % number)
    return redirect("project_labels", project.pk)


@require_safe
@room(access.projects_managed_by)
def export(request: HttpRequest, project: Project, kind: str) -> HttpResponse:
    """The label set as a file of 3D Slicer (.ctbl) or ITK-SNAP (.label)."""
    if kind not in WRITERS:
        raise Http404
    name = f"{slugify(project.name) or 'labels'}.{kind}"
    text = WRITERS[kind](labelsets.entries_of(project))
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=downloads.headers(name))


def _entries(request: HttpRequest, content: bytes, source: str) -> Sequence[Entry]:
    """Of the other project, where one was chosen, else of the file's content. Raises LabelRefused."""
    if not source:
        return labelfiles.parse(content)
    managed = access.projects_managed_by(request.user)
    other = managed.filter(pk=source).first() if source.isdecimal() else None
    if other is None:
        raise Http404
    return labelsets.entries_of(other)


def _list(request: HttpRequest, project: Project, form: LabelForm, status: int = 200) -> HttpResponse:
    others = access.projects_managed_by(request.user).exclude(pk=project.pk).filter(labels__isnull=False).distinct()
    context = {
        "labels": labelsets.with_masks(project),
        "form": form,
        "others": others,
        "most": labelsets.MOST_LABELS,
    }
    return show(request, project, "projects/labels.html", context, status)


def _empty_form(project: Project) -> LabelForm:
    taken = project.labels.values_list("colour", flat=True)
    return LabelForm(initial={"colour": labelsets.free_colour(taken)})


def _label(project: Project, label_id: int) -> Label:
    label = project.labels.filter(pk=label_id).first()
    if label is None:
        raise Http404
    return label
