"""The one kind of error that is shown to a person without a traceback."""


class UserError(ValueError):
    """Bad input, wrong parameter or missing file; the message names it and the remedy."""
