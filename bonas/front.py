"""The front of several objectives: what nothing else beats in one without losing in another."""

from collections.abc import Sequence


def front_of(points: Sequence[Sequence[float]]) -> list[int]:
    """The indices of the points that no other dominates, ascending; equal points stay together.

    A point dominates another that is nowhere higher and somewhere lower.

    Args:
        points: The objectives of each, all maximised and finite.
    """
    ordered = sorted(range(len(points)), key=lambda i: tuple(points[i]), reverse=True)
    front: list[int] = []
    for i in ordered:  # what dominates a point comes before it, or is itself dominated by such
        if not any(_dominates(points[k], points[i]) for k in front):
            front.append(i)
    return sorted(front)


def _dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    pairs = list(zip(first, second, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)
