"""Faces are chosen by what they are, not by what their forgery is called."""

from dataclasses import replace

from bonas.data.faces import REAL
from tests.conftest import striped_faces


def test_a_forgery_that_is_called_real_is_still_one() -> None:
    faces = striped_faces(4)
    misnamed = replace(faces, domains=(REAL,) * len(faces))
    assert not misnamed.of_domains([]).labels.any()
    assert misnamed.forgeries == (REAL,)
    assert misnamed.of_domains(misnamed.forgeries).labels.tolist() == faces.labels.tolist()
