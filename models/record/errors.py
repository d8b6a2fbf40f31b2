"""The one family of errors that Episcribe raises on purpose.

A message says in one line what was wrong, with which input, and what to do about it. The command
line prints it as it is and leaves with `exit_code`; everything else that is raised is a bug.
"""


class EpiscribeError(Exception):
    """A run that could not be finished although its input may be sound (network, disk, model)."""

    exit_code = 1


class InputError(EpiscribeError):
    """What the user gave can't be used: no such file, not audio, a bad option."""

    exit_code = 2


class NotAudioError(InputError):
    """What came from an address is a page, a playlist or something else that nobody can listen to."""


class DownloadError(EpiscribeError):
    """A remote file could not be fetched. `transient` tells whether trying again may help."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class ModelError(EpiscribeError):
    """A model is missing, damaged, or may not be used without a token."""


class OutputError(EpiscribeError):
    """A result could not be written or read back."""


class InterruptedRun(EpiscribeError):  # noqa: N818  (nothing is wrong: the user wanted it)
    """Somebody stopped the run: its user with Ctrl-C, or whoever cancelled it in the queue."""
