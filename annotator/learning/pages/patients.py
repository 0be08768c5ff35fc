"""The split ledger, as admins see it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotator.learning import split
from annotator.learning.models import Part, Patient
from annotator.learning.rooms import for_admins, show

PER_PAGE = 100


@require_safe
@for_admins
def patients(request: HttpRequest) -> HttpResponse:
    """Every patient and their side; `?part=` and `?q=` choose."""
    search, part = request.GET.get("q", "").strip(), request.GET.get("part", "")
    found = Patient.objects.filter(key__icontains=search)
    if part in Part.values:
        found = found.filter(part=part)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "search": search, "part": part, "counts": split.counts()}
    return show(request, "learning/patients.html", context)
