"""The one family of errors that Episcribe raises on purpose.

A message says in one line what was wrong, with which input, and what to do about it. The command
line prints it as it is and leaves with `exit_code`; everything else that is raised is a bug.
"""

from __future__ import annotations

from typing import Literal


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


class SettingsError(EpiscribeError):
    """Not the episode is at fault, but what it is to be processed with: a setting, a login, a model, the machine.

    It can go on once that is mended. soon: that may happen by itself, within minutes. counts: it may also never happen,
    so in the end the episode is given up. reach: who meets the same, this `episode` alone, all with its settings on
    this `machine`, or `all` of them.
    """

    soon = False
    counts = False
    reach: Literal["episode", "machine", "all"] = "machine"


class WrongSettingError(InputError, SettingsError):
    """An option or a setting has a value that can't be, or that contradicts another."""

    reach = "all"


class MachineError(InputError, SettingsError):
    """This machine lacks what was asked for: a device, a package, a variable with a login."""


class AbsentFileError(InputError, SettingsError):
    """A file that an episode is made of is not on this machine; `gone`: where it was."""

    reach = "episode"

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.counts = gone


class ModelError(SettingsError):
    """A model is missing, damaged, or may not be used without a token; or the hub can't be reached now: `soon`."""

    def __init__(self, message: str, *, soon: bool = False) -> None:
        super().__init__(message)
        self.soon = soon


class OutputError(EpiscribeError):
    """A result could not be written or read back."""


class UnwritableError(OutputError, SettingsError):
    """Nothing can be written where it should be: the disk is full or read-only, or somebody else's."""

    soon = True
    reach = "episode"


class InterruptedRun(EpiscribeError):  # noqa: N818  (nothing is wrong: the user wanted it)
    """Somebody stopped the run: its user with Ctrl-C, or whoever cancelled it in the queue."""
