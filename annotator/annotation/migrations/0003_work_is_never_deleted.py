import django.db.models.deletion
from django.db import migrations, models


def kept(related_name):
    protect = django.db.models.deletion.PROTECT
    return models.ForeignKey(on_delete=protect, related_name=related_name, to="annotation.assignment")


class Migration(migrations.Migration):
    dependencies = [("annotation", "0002_painted_masks")]

    operations = [
        migrations.AlterField("interaction", "assignment", kept("interactions")),
        migrations.AlterField("slicemask", "assignment", kept("masks")),
    ]
