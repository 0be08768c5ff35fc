"""A person's notices."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from annotator.events import notices
from annotator.events.models import Notice
from annotator.login import person_of

PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What there was to tell the person, the newest first."""
    page = Paginator(_own(request), PAGE).get_page(request.GET.get("page"))
    return render(request, "events/notices.html", {"page": page})


@require_safe
def follow(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Leads to what a notice is about, which the person has then seen."""
    notice = _own(request).filter(pk=notice_id).first()
    if notice is None:
        raise Http404
    notices.see(person_of(request), notice)
    is_here = url_has_allowed_host_and_scheme(notice.url, allowed_hosts=None)
    return redirect(notice.url if is_here else "notices")


@require_POST
def see_all(request: HttpRequest) -> HttpResponse:
    """Marks all of them as seen."""
    notices.see(person_of(request))
    return redirect("notices")


def _own(request: HttpRequest) -> QuerySet[Notice]:
    return Notice.objects.filter(person=person_of(request))
