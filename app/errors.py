"""Errors that reach a person: each is one sentence that says what happened and what to do."""


class IronbookError(Exception):
    """Something a person can act on. ``str(error)`` is the sentence they read."""


class ConfigurationError(IronbookError):
    """A setting is missing, unknown or has a value that cannot work."""
