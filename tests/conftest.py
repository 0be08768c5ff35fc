"""What several tests need: the folder of real images, and a small synthetic CT."""

import os
import zipfile
from pathlib import Path

import pytest

from segmodel import phantom

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("ANNOTATOR_SHARED_DATA", REPOSITORY / ".." / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder of real images (ANNOTATOR_SHARED_DATA), or skip the test where there is none."""
    if not (SHARED_DATA / "README.md").exists():
        pytest.skip(f"no real images in {SHARED_DATA}; set ANNOTATOR_SHARED_DATA")
    return SHARED_DATA.resolve()


@pytest.fixture(scope="session")
def unzipped(shared_data, tmp_path_factory):
    """Return a function that unpacks an archive of the shared data once and gives the folder."""
    folders = {}

    def unpack(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(Path(name).stem)
            with zipfile.ZipFile(shared_data / name) as archive:
                archive.extractall(folders[name])
        return folders[name]

    return unpack


@pytest.fixture(scope="session")
def small_ct():
    """Return (volume, labels, names) of a coarse phantom: 12×48×64 voxels of 15×8×6.4 mm."""
    return phantom.make(seed=7, shape=(12, 48, 64), spacing=(15.0, 8.0, 6.4))
