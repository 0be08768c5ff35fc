"""Writes requirements.lock: every version that a fresh resolve of requirements-dev.txt gives, as constraints for pip."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = (
    "# Exact versions for requirements.txt and requirements-dev.txt, used with `pip install -c`. Made by `make lock`.\n"
)


def resolved() -> dict[str, str]:
    """Name and version of every package, as if nothing were installed."""
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-", "-r", "requirements-dev.txt"]
    report = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    packages = (entry["metadata"] for entry in json.loads(report)["install"])
    return {package["name"].lower().replace("_", "-"): package["version"].split("+")[0] for package in packages}


def main() -> None:
    lines = [f"{name}=={version}\n" for name, version in sorted(resolved().items())]
    (ROOT / "requirements.lock").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main()
