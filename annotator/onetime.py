"""Secrets that are handed out once: the program keeps their SHA-256 only."""

from __future__ import annotations

import hashlib
import secrets


def secret() -> str:
    """43 characters that nobody guesses and every address takes."""
    return secrets.token_urlsafe(32)


def digest(of: str) -> str:
    """What is kept of one. A slow hash would be for what people make up; these have 256 random bits."""
    return hashlib.sha256(of.encode(errors="replace")).hexdigest()
