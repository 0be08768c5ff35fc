"""What a notice says, in the language that is active: that of its reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def of(kind: str, about: dict[str, Any]) -> str:
    """The sentence of a kind of notice; `about` has what the words of `_WORDS` ask for."""
    return _WORDS[kind](about) % about


def _assigned(about: dict[str, Any]) -> str:
    return ngettext("You have %(n)d new case of %(project)s.", "You have %(n)d new cases of %(project)s.", about["n"])


def _returned(about: dict[str, Any]) -> str:
    return _("%(series)s came back: %(reason)s")


def _due(about: dict[str, Any]) -> str:
    return ngettext(
        "%(n)d case of %(project)s is due on %(day)s.", "%(n)d cases of %(project)s are due on %(day)s.", about["n"]
    )


def _scored(about: dict[str, Any]) -> str:
    return _("How you did on %(series)s: %(scores)s")


def _passed(about: dict[str, Any]) -> str:
    return _("%(version)s has been trained and passed the gate.")


def _refused(about: dict[str, Any]) -> str:
    return _("%(version)s has been trained and did not pass the gate: %(why)s")


def _evaluated(about: dict[str, Any]) -> str:
    return _("The evaluation of %(version)s is done.")


def _failed(about: dict[str, Any]) -> str:
    return _("%(name)s failed: %(why)s")


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "assigned": _assigned,
    "returned": _returned,
    "due": _due,
    "scored": _scored,
    "passed": _passed,
    "refused": _refused,
    "evaluated": _evaluated,
    "failed": _failed,
}
