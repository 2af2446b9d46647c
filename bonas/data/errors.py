"""The error of data that cannot be used, apart from all that needs torch."""


class DataError(ValueError):
    """A data set that cannot be used as asked; the message names the place and the remedy."""
