from bonas.robustness.attacks.cycles import place_in_cycle


def test_cycles_follow_each_other_and_double() -> None:
    places = [place_in_cycle(step, 3) for step in range(22)]
    expected = [(k, length) for length in (3, 6, 12) for k in range(length)]
    assert places == [*expected, (0, 24)]
