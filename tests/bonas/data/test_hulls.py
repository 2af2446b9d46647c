"""Laws of faces' outlines."""

import numpy as np
import pytest
import torch

from bonas.data.hulls import POINTS, area, clipped, face_hull, gauges

FIVE = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.55], [0.4, 0.7], [0.6, 0.7]])


def dense(count: int = 68) -> np.ndarray:
    """Points in a disc of radius 0.3 about (0.4, 0.6), twenty of them on its edge."""
    rng = np.random.default_rng(0)
    angle = np.concatenate([np.linspace(0, 2 * np.pi, 21)[:20], rng.uniform(0, 6, count - 20)])
    radius = np.concatenate([np.full(20, 0.3), 0.25 * rng.random(count - 20)])
    points: np.ndarray = np.array([0.4, 0.6]) + radius[:, None] * np.stack(
        [np.cos(angle), np.sin(angle)], axis=1
    )
    return points


def gauge(hull: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = (torch.from_numpy(points[:, axis]).reshape(1, 1, 1, -1) for axis in (0, 1))
    return gauges(torch.from_numpy(hull)[None], x, y).flatten().numpy()


@pytest.mark.parametrize("points", [FIVE, dense(68), dense(81)], ids=["5", "68", "81"])
def test_an_outline_turns_grows_and_moves_with_its_landmarks(points: np.ndarray) -> None:
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    moved = 0.7 * points @ turn + np.array([0.1, -0.05])
    places = np.random.default_rng(1).random((200, 2))
    before = gauge(face_hull(points), places)
    after = gauge(face_hull(moved), 0.7 * places @ turn + np.array([0.1, -0.05]))
    assert face_hull(points).shape == (POINTS, 2)
    assert after == pytest.approx(before, rel=0.02), "corners are kept to a spacing"


def test_the_hull_of_many_points_holds_them_and_is_no_larger() -> None:
    points = dense()
    hull = face_hull(points)
    assert gauge(hull, points).max() < 1.03
    assert area(hull) == pytest.approx(np.pi * 0.3**2, rel=0.05)
    shuffled = points[np.random.default_rng(2).permutation(len(points))]
    assert np.array_equal(face_hull(shuffled), hull)


@pytest.mark.parametrize("margin", [0.0, 0.06])
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_part_of_an_outline_in_the_picture_is_that_of_the_places_in_both(
    scale: float, margin: float
) -> None:
    places = np.random.default_rng(0).uniform(margin, 1 - margin, (20_000, 2))
    for shift in np.random.default_rng(1).uniform(-1, 1, (8, 2)):
        hull = face_hull(scale * dense() + shift)
        share = float((gauge(hull, places) <= 1).mean())
        expected = share * (1 - 2 * margin) ** 2
        assert area(clipped(hull, margin)) == pytest.approx(expected, abs=0.015)


def test_five_points_lie_well_inside_the_face_that_they_say() -> None:
    hull = face_hull(FIVE)
    assert gauge(hull, FIVE).max() < 0.75
    top, bottom = hull[:, 1].min(), hull[:, 1].max()
    assert (top, bottom) == pytest.approx((0.4 - 0.5 * 0.3, 0.4 + 1.7 * 0.3))
    assert np.ptp(hull[:, 0]) == pytest.approx(2 * 1.15 * 0.3)
    profile = FIVE.copy()
    profile[:, 0] = 0.5 + 0.2 * (profile[:, 0] - 0.5)
    assert np.ptp(face_hull(profile)[:, 0]) == pytest.approx(2 * 0.8 * 0.3)


def test_a_gauge_is_zero_in_the_middle_one_on_the_outline_and_grows_evenly() -> None:
    hull = face_hull(dense())
    centre = hull.mean(0)
    for share in (0.0, 0.5, 1.0, 2.0):
        found = gauge(hull, centre + share * (hull - centre))
        assert found == pytest.approx(np.full(POINTS, share), abs=1e-9)
    assert gauge(hull[::-1].copy(), dense()) == pytest.approx(gauge(hull, dense()))


def test_other_numbers_of_points_are_refused() -> None:
    with pytest.raises(ValueError, match="has 7 rows; landmarks are 5, 68 or 81"):
        face_hull(np.zeros((7, 2)))
