from dataclasses import replace
from pathlib import Path

import torch

from bonas.data.faces import Faces
from bonas.trained_on import Use, count_used, image_keys, save_used
from tests.conftest import striped_faces


def test_images_are_known_one_by_one_whatever_they_are_called(tmp_path: Path) -> None:
    faces, others = striped_faces(6), striped_faces(6, seed=1)
    assert count_used(tmp_path, faces) is None
    save_used(tmp_path / "new", Use.TRAINED, [faces.select(range(4))])
    assert count_used(tmp_path / "new", faces) == 4
    assert count_used(tmp_path / "new", others) == 0
    assert count_used(tmp_path / "new", faces, Use.SELECTED) is None, "another use, not kept"
    save_used(tmp_path / "new", Use.SELECTED, [])
    assert count_used(tmp_path / "new", faces, Use.SELECTED) == 0, "kept: nothing selected"
    save_used(tmp_path / "new", Use.SELECTED, [faces, faces.select([0])])
    assert count_used(tmp_path / "new", faces, Use.SELECTED) == 12
    renamed = replace(faces, originals=tuple(f"x{i}" for i in range(12)))
    mixed = Faces(
        torch.cat([others.images, renamed.images[2:4]]),
        torch.cat([others.labels, renamed.labels[2:4]]),
        others.originals + renamed.originals[2:4],
        others.domains + renamed.domains[2:4],
    )
    assert count_used(tmp_path / "new", mixed) == 2


def test_one_level_of_one_pixel_is_another_image() -> None:
    images = striped_faces(1).images
    changed = images.clone()
    changed[0, 2, -1, -1] += 1
    first, second = image_keys(images), image_keys(changed)
    assert first[0] != second[0]
    assert first[1] == second[1]
