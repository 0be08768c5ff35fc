"""Reads settings from environment variables; what cannot be read is kept for a start-up error (see `annotator.checks`)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

problems: list[str] = []
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def text(name: str, default: str = "") -> str:
    """The variable, or the default where it is absent or empty."""
    return os.environ.get(name, "").strip() or default


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word for part in text(name, default).split(",") if (word := part.strip())]


def flag(name: str, default: bool) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in _FLAGS:
        problems.append(f"{name} is {value!r}: set it to 1 or 0.")
    return _FLAGS.get(value, default)


def number(name: str, default: int, least: int = 1) -> int:
    value = text(name, str(default))
    if value.isdecimal() and int(value) >= least:
        return int(value)
    problems.append(f"{name} is {value!r}: set it to a whole number of at least {least}.")
    return default


def share(name: str, default: float) -> float:
    """A number from 0 to 1."""
    value = text(name, str(default))
    try:
        if 0 <= float(value) <= 1:
            return float(value)
    except ValueError:
        pass
    problems.append(f"{name} is {value!r}: set it to a share from 0 to 1.")
    return default


def choice(name: str, default: str, *others: str) -> str:
    """One of a few words, upper or lower case."""
    value, words = text(name, default).upper(), (default, *others)
    if value in words:
        return value
    problems.append(f"{name} is {value!r}: set it to one of {', '.join(words)}.")
    return default


def secret_key(folder: Path) -> str:
    """SECRET_KEY, or one made once and kept in `folder`, so that log-ins outlive a restart."""
    if key := text("SECRET_KEY"):
        return key
    path = folder / "secret_key"
    fresh = secrets.token_urlsafe(50)
    partial = folder / f".secret_key.{os.getpid()}"
    if not path.exists():
        partial.touch(mode=0o600)
        partial.write_text(fresh)
        try:
            os.link(partial, path)  # whole or not at all, and only one of several processes starting together
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return path.read_text().strip()
