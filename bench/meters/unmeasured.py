"""Why a figure is missing."""


class NotMeasured(Exception):  # noqa: N818 - no fault: a figure is left out
    """There is no figure; the message says why, in a few words."""
