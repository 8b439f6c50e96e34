"""A plugin that does not import."""

import a_library_that_nobody_has  # noqa: F401
