"""Annotator from the command line, over its REST API: python -m annotator.client --help

The address and the token of a site come by `--url` and `--token`, or by ANNOTATOR_URL and ANNOTATOR_TOKEN. It needs httpx and
nothing else of the program. Errors are one sentence, and exit code 2.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

ARCHIVES = (".zip",)
PAUSE = 1.0  # seconds between two questions how far something is
PATIENCE = httpx.Timeout(30, read=600, write=600)  # an upload is answered once it is on the server's disk


class Refused(Exception):
    """One sentence why it does not go on."""


class Site:
    """A site, and whom the token belongs to."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self.http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1/", headers=headers, timeout=PATIENCE)

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params=query).json()

    def post(self, path: str, **body: Any) -> Any:
        return self._ask("POST", path, json=body).json()

    def each(self, path: str, **query: Any) -> Iterator[Any]:
        """Everything of a list, page by page."""
        while True:
            page = self.get(path, **query)
            yield from page["results"]
            if not page["next"]:
                return
            query["page"] = parse_qs(urlsplit(page["next"]).query)["page"][0]

    def project(self, name: str) -> Any:
        """The project of this name, or of this number."""
        found = list(self.each("projects/", name=name))
        if not found and name.isdecimal():
            return self.get(f"projects/{name}/")
        if not found:
            raise Refused(f"You have no project {name}.")
        return found[0]

    def upload(self, project: int, files: list[Path], assignee: str) -> Any:
        """Send files, as they lie on the disk."""
        opened = [("files", (path.name, path.open("rb"))) for path in files]
        try:
            data = {"assignee": assignee}
            return self._ask("POST", f"projects/{project}/uploads/", files=opened, data=data).json()
        finally:
            for _, (_, file) in opened:
                file.close()

    def download(self, path: str, to: Path) -> None:
        """Write a file, whole or not at all."""
        with self.http.stream("GET", path) as answer:
            _check(answer)
            with tempfile.NamedTemporaryFile(dir=to.parent, prefix=".download-", delete=False) as partial:
                try:
                    for part in answer.iter_bytes():
                        partial.write(part)
                except BaseException:
                    Path(partial.name).unlink()
                    raise
        Path(partial.name).replace(to)

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.http.request(method, path, **options)
        _check(answer)
        return answer


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    answer.read()
    try:
        sentence = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        sentence = f"{answer.request.url} answers {answer.status_code}, which is no answer of Annotator."
    raise Refused(sentence)


# ------------------------------------------------------------------------------------------------ what one can do


def create_project(site: Site, asked: argparse.Namespace) -> None:
    """Make a project with its labels, and say its number."""
    labels = [_label(value, text) for value, text in enumerate(asked.label, 1)]
    guidelines = asked.guidelines.read_text(encoding="utf-8") if asked.guidelines else ""
    project = site.post("projects/", name=asked.name, guidelines=guidelines)
    for label in labels:
        site.post(f"projects/{project['id']}/labels/", **label)
    print(f"Project {project['id']}: {project['name']}, {len(labels)} labels")


def import_folder(site: Site, asked: argparse.Namespace) -> None:
    """Send a folder or file and wait for its import."""
    project = site.project(asked.project)
    with tempfile.TemporaryDirectory(prefix="annotator-client-") as folder:
        upload = site.upload(project["id"], _packed(asked.folder, Path(folder)), asked.assign)
    with _progress() as show:
        while upload["state"] in ("received", "running"):
            time.sleep(PAUSE)
            upload = site.get(f"uploads/{upload['id']}/")
            show(f"importing {upload['progress']:.0%}")
    for line in upload["report"]:
        print(" ".join([f"{line['outcome']}: {line['name']}", *line["sentences"]]))
    if not any(line["series"] for line in upload["report"]):
        raise Refused("No series was imported.")


def assign(site: Site, asked: argparse.Namespace) -> None:
    """Give the waiting cases of a project to one person, or spread them over several."""
    people = [name for part in asked.to.split(",") if (name := part.strip())]
    if len(people) > 1 and not asked.spread:
        raise Refused("Say --spread to share the cases out among several people.")
    given = site.post(f"projects/{site.project(asked.project)['id']}/spread/", people=people)
    for name in people:
        print(f"{name}: {sum(one['person'] == name for one in given)} cases")


def wait(site: Site, asked: argparse.Namespace) -> None:
    """Wait until every case of a project is in a state."""
    project, deadline = site.project(asked.project)["id"], time.monotonic() + asked.timeout
    with _progress() as show:
        while True:
            cases = [one for one in site.each("assignments/", project=project) if one["state"] != "handed_back"]
            there = sum(one["state"] == asked.state for one in cases)
            show(f"{there} of {len(cases)} {asked.state}")
            if cases and there == len(cases):
                break
            if time.monotonic() > deadline:
                raise Refused(f"After {asked.timeout:g} s, {there} of {len(cases)} cases are {asked.state}.")
            time.sleep(PAUSE)
    print(f"{there} of {len(cases)} {asked.state}")


def export(site: Site, asked: argparse.Namespace) -> None:
    """Fetch the accepted masks of a project, or all that one sees, and unpack them."""
    project = site.project(asked.project)["id"]
    asked.out.mkdir(parents=True, exist_ok=True)
    paths = [f"projects/{project}/masks/"]
    if not asked.accepted:
        paths = [f"assignments/{case['id']}/masks/" for case in site.each("assignments/", project=project)]
    written: list[str] = []
    with tempfile.TemporaryDirectory(dir=asked.out, prefix=".export-") as folder:
        for path in paths:
            packed = Path(folder, "masks.zip")
            site.download(path, packed)
            with zipfile.ZipFile(packed) as archive:
                archive.extractall(asked.out)
                written += archive.namelist()
    print(f"{len(written)} files in {asked.out}")


def _packed(source: Path, folder: Path) -> list[Path]:
    """What to send: zips as they are, everything else in one zip, under the paths that it has in the folder."""
    if not source.exists():
        raise Refused(f"There is no {source}.")
    if source.is_file():
        return [source]
    files = sorted(path for path in source.rglob("*") if path.is_file())
    zips, loose = ([p for p in files if (p.suffix.lower() in ARCHIVES) is wanted] for wanted in (True, False))
    if not files:
        raise Refused(f"There is no file in {source}.")
    if not loose:
        return zips
    packed = folder / f"{source.resolve().name or 'folder'}.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in loose:
            archive.write(path, path.relative_to(source).as_posix())
    return [packed, *zips]


def _label(value: int, text: str) -> dict[str, Any]:
    name, _, colour = text.rpartition("=")
    if not name or not colour:
        raise Refused(f"--label {text} is no name=colour, as in liver=#c0504d.")
    return {"name": name, "value": value, "colour": colour.lower()}


class _progress:
    """One line that is written over as long as somebody looks at it; nothing where the output goes to a file."""

    def __enter__(self) -> Callable[[str], None]:
        self.shown = ""
        return self._show

    def __exit__(self, *error: object) -> None:
        if self.shown and sys.stderr.isatty():
            print(file=sys.stderr)

    def _show(self, text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{text:<{len(self.shown)}}", end="", file=sys.stderr, flush=True)
        elif text != self.shown:
            print(text, file=sys.stderr, flush=True)
        self.shown = text


# ------------------------------------------------------------------------------------------------ the command line


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    whole = argparse.ArgumentParser(prog="python -m annotator.client", description="Annotator over its REST API")
    whole.add_argument("--url", default=os.environ.get("ANNOTATOR_URL", ""), help="or ANNOTATOR_URL")
    whole.add_argument("--token", default=os.environ.get("ANNOTATOR_TOKEN", ""), help="or ANNOTATOR_TOKEN, better")
    commands = whole.add_subparsers(required=True, metavar="command")

    projects = commands.add_parser("projects", help="make a project").add_subparsers(required=True, metavar="create")
    create = _command(projects, "create", create_project)
    create.add_argument("name")
    create.add_argument(
        "--label", action="append", default=[], metavar="NAME=COLOUR", help="as liver=#c0504d; once each"
    )
    create.add_argument("--guidelines", type=Path, help="a Markdown file")

    bring = _command(commands, "import", import_folder)
    bring.add_argument("folder", type=Path, help="DICOM or NIfTI files, or zips of them; or one file")
    bring.add_argument("--project", required=True)
    bring.add_argument("--assign", default="", metavar="PERSON", help="a member who gets the cases")

    give = _command(commands, "assign", assign)
    give.add_argument("--project", required=True)
    give.add_argument("--to", required=True, metavar="A,B")
    give.add_argument("--spread", action="store_true", help="each case to whoever has least to do")

    stay = _command(commands, "wait", wait)
    stay.add_argument("--project", required=True)
    stay.add_argument("--state", default="accepted")
    stay.add_argument("--timeout", type=float, default=float("inf"), metavar="SECONDS")

    fetch = _command(commands, "export", export)
    fetch.add_argument("--project", required=True)
    fetch.add_argument(
        "--accepted", action="store_true", help="what was accepted, once per case; else all that you see"
    )
    fetch.add_argument("--out", type=Path, required=True, metavar="DIR")
    return whole


def _command(commands: Any, name: str, function: Callable[..., None]) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
    made.set_defaults(function=function)
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0, or 2 with a sentence on standard error."""
    asked = parser().parse_args(arguments)
    try:
        if not asked.url or not asked.token:
            raise Refused("Say which site and who you are: --url and --token, or ANNOTATOR_URL and ANNOTATOR_TOKEN.")
        asked.function(Site(asked.url, asked.token), asked)
    except (Refused, OSError, zipfile.BadZipFile) as error:
        return _complain(str(error))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _complain(f"{asked.url} does not answer: {error}")
    return 0


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
