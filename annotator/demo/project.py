"""The demo's project: its settings, labels and members."""

from __future__ import annotations

from annotator.annotation import access, labelsets, people, projects
from annotator.annotation.models import Project
from annotator.demo.people import ROLES, Cast

PROJECT = "Demo: abdominal CT (synthetic)"
GUIDELINES = (
    "These CTs were made by a computer; no patient stands behind them. Click into an organ to outline it, click outside with "
    "the right button to take away, and drag a click to see the outline follow."
)
LABELS = {
    "aorta": ("#e5484d", "15825003"),
    "gallbladder": ("#3fb950", "28231008"),
    "left kidney": ("#2f81f7", "18639004"),
    "right kidney": ("#26a69a", "9846003"),
    "liver": ("#f0a020", "10200004"),
    "pancreas": ("#db61a2", "15776009"),
    "spleen": ("#a371f7", "78961009"),
    "stomach": ("#d4e157", "69695003"),
    "liver lesion": ("#40e0ff", "300331000"),
}
"""Colours and SNOMED CT concepts, in the order of the phantom's label values, 1 to 9."""


def make(cast: Cast) -> Project:
    """The project with everybody in it; what an older demo has of it stays."""
    project = Project.objects.filter(name=PROJECT).first()
    if project is None:
        project = projects.create(cast.admin, name=PROJECT, guidelines=GUIDELINES, gold_feedback=True)
        for name, (colour, snomed) in LABELS.items():
            labelsets.add(project, cast.admin, name=name, colour=colour, snomed=snomed)
    for name, role in ROLES.items():
        person = getattr(cast, name)
        if not access.is_member(person, project.pk):
            invitation, _ = people.invite(project, role, cast.admin)
            people.join(invitation, person)
    return project
