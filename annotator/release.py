"""Which program this is."""

from __future__ import annotations

import subprocess
import tomllib
from functools import cache

from annotator.settings import ROOT


@cache
def name() -> str:
    """The version, and the commit where it runs from a checkout: `0.1.0 (1a2b3c4d)`."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    ask = ["git", "-C", str(ROOT), "rev-parse", "--short=8", "HEAD"]
    try:
        commit = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return str(version)
    return f"{version} ({commit})"
