import io

import numpy as np
import pytest
from PIL import Image

from bonas.data.audit.jpeg_tables import estimated_quality, luminance_table


@pytest.mark.parametrize("quality", [1, 5, 10, 25, 49, 50, 51, 60, 75, 80, 90, 95, 99, 100])
def test_the_quality_that_pillow_saved_with_is_found(quality: int) -> None:
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        table = image.quantization[0]  # type: ignore[attr-defined]
    assert list(table) == luminance_table(quality).tolist()
    # Low qualities clip at the same values, so a neighbour may have the same table.
    assert (luminance_table(estimated_quality(table)) == luminance_table(quality)).all()


def test_a_finer_table_has_a_higher_quality() -> None:
    sums = [luminance_table(q).sum() for q in range(1, 101)]
    assert (np.diff(sums) <= 0).all()


def test_a_foreign_table_gets_the_nearest_quality() -> None:
    changed = luminance_table(85)
    changed[40] += 3
    assert estimated_quality(changed.tolist()) == 85


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_outside_its_range_is_refused(quality: int) -> None:
    with pytest.raises(ValueError, match=f"quality is {quality}; it must be in 1 to 100"):
        luminance_table(quality)


def test_a_table_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="table has 63 values"):
        estimated_quality([1] * 63)
