"""Schedules of attacks that do not depend on how long the attack will be.

A schedule laid over the whole attack makes a longer attack another attack, which may do worse on an
image. Here it is laid over a cycle of fixed length, and repeated over cycles twice as long as the
one before from the best point so far: the steps of an attack are the first steps of every longer
one, and a longer one still gets schedules as slow as its length deserves.
"""


def place_in_cycle(step: int, first: int) -> tuple[int, int]:
    """How many steps into its cycle a step is, and how long the cycle is.

    Args:
        step: From 0.
        first: Length of the first cycle, at least 1.
    """
    length = first
    while step >= length:
        step -= length
        length *= 2
    return step, length
