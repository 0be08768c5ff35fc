import django.db.models.deletion
from django.db import migrations, models

from annotator import masks


def count_pixels(apps, schema_editor):
    """What older rows know without having stored it: they come from their own interaction."""
    SliceMask = apps.get_model("annotation", "SliceMask")
    for row in SliceMask.objects.iterator():
        row.since, row.pixels = row.sequence, masks.area(bytes(row.mask))
        row.save(update_fields=["since", "pixels"])


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]

    operations = [
        migrations.AddField(
            "interaction",
            "mask",
            models.BinaryField(help_text="what a `paint` left of the slice (annotator.masks)", null=True),
        ),
        migrations.AddField(
            "project",
            "overlap",
            models.CharField(
                choices=[
                    ("newest", "the newest mask has the voxel"),
                    ("background", "a mask takes only voxels that no other has"),
                    ("allowed", "masks may overlap"),
                ],
                default="newest",
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            "LabelLock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "assignment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="locks", to="annotation.assignment"
                    ),
                ),
                (
                    "label",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotation.label"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("assignment", "label"), name="a_label_is_locked_once")
                ],
            },
        ),
        migrations.AddField(
            "slicemask",
            "since",
            models.PositiveIntegerField(
                default=0, help_text="the interaction that it comes from: after an undo an earlier one"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "slicemask",
            "pixels",
            models.PositiveIntegerField(default=0, help_text="of the foreground"),
            preserve_default=False,
        ),
        migrations.AddField(
            "slicemask",
            "quality",
            models.FloatField(help_text="the model's own estimate of Dice; null where a person made it", null=True),
        ),
        migrations.RunPython(count_pixels, migrations.RunPython.noop),
    ]
