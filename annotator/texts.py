"""The texts of the browser's side in the reader's language, for `frontend/src/words.ts`; English is in its sources."""

from __future__ import annotations

import functools
from typing import Any

from django.utils.translation import get_language
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog


def for_page() -> dict[str, Any]:
    """Each text's own in the active language, of a plural all its forms; some 27 kB, so it stands in the page itself."""
    return _of(get_language() or "en")


@functools.cache
def _of(language: str) -> dict[str, Any]:
    view = JavaScriptCatalog(domain="djangojs")
    view.translation = DjangoTranslation(language, domain="djangojs", localedirs=view.get_paths(["annotator"]))
    return view.get_catalog()
