import numpy as np
import pytest

from bonas.robustness.scored import Scored


def small() -> Scored:
    """Two originals: a real video of two frames with a forgery of two, and single images."""
    return Scored(
        scores=np.array([0.0, 1.0, 2.0, 4.0, 5.0, 6.0]),
        forged=np.array([False, False, True, True, False, True]),
        originals=("a", "a", "a", "a", "b", "b"),
        domains=("real", "real", "swap", "swap", "real", "synthesis"),
        videos=("v", "v", "v", "v", "", ""),
    )


def test_a_video_scores_the_mean_of_its_frames_and_single_images_stay() -> None:
    videos = small().by_video()
    np.testing.assert_array_equal(videos.scores, [0.5, 3.0, 5.0, 6.0])
    np.testing.assert_array_equal(videos.forged, [False, True, False, True])
    assert videos.originals == ("a", "a", "b", "b")
    assert videos.domains == ("real", "swap", "real", "synthesis")


def test_the_order_of_frames_is_no_part_of_a_video() -> None:
    whole = small()
    order = [5, 3, 1, 0, 4, 2]
    mixed = Scored(
        whole.scores[order],
        whole.forged[order],
        tuple(whole.originals[i] for i in order),
        tuple(whole.domains[i] for i in order),
        tuple(whole.videos[i] for i in order),
    ).by_video()
    assert sorted(zip(mixed.scores.tolist(), mixed.domains, strict=True)) == sorted(
        zip(whole.by_video().scores.tolist(), whole.by_video().domains, strict=True)
    )


def test_equal_names_of_two_originals_are_two_videos() -> None:
    two = Scored(np.arange(2.0), np.array([False, False]), ("a", "b"), ("real",) * 2, ("v", "v"))
    assert len(two.by_video()) == 2


def test_frames_per_video_counts_and_is_none_for_images() -> None:
    assert small().frames_per_video == (1, 2)
    images = small().select([False] * 4 + [True] * 2)
    assert images.frames_per_video is None
    np.testing.assert_array_equal(images.by_video().scores, images.scores)


def test_each_domain_stands_beside_all_real_images() -> None:
    domains = small().by_domain()
    assert list(domains) == ["swap", "synthesis"]
    assert domains["swap"].domains == ("real", "real", "swap", "swap", "real")
    assert domains["synthesis"].domains == ("real", "real", "real", "synthesis")


def test_subgroups_keep_pairs_and_name_what_is_unknown() -> None:
    groups = small().by_subgroup({"a": {"light": "dim", "skin": "I"}, "c": {"light": "bright"}})
    assert list(groups) == ["light=dim", "light=not given", "skin=I", "skin=not given"]
    assert set(groups["light=dim"].originals) == {"a"}
    assert len(groups["light=not given"]) == 2


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length, got 2, 2, 1, 2 and 2"):
        Scored(np.zeros(2), np.zeros(2, bool), ("a",), ("real",) * 2, ("",) * 2)
