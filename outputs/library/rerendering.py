"""Files of an episode written from its record: all again after edits, or in formats that somebody asks for.

The app has a process of its own do the former, `python -m outputs.library.rerendering FOLDER`, for to render a long
episode takes seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from models.record.errors import EpiscribeError
from outputs.formats.registry import EPISODE, OF_CHAPTERS
from outputs.library import corrections, read
from outputs.library.files import replace_files, stamp
from outputs.library.folders import present_formats
from outputs.library.write import contents_of, publish

NICENESS = 10
ATTEMPTS = (
    5  # before it is written although somebody has corrected something meanwhile, who will have it done again
)


def publish_in(folder: Path, formats: Iterable[str]) -> list[Path]:
    """Write an episode in the named formats, corrections laid over its record, while whoever edits it waits.

    Returns and raises as `outputs.library.write.publish` does, and raises as `outputs.library.read` where there is no
    record.
    """
    with corrections.locked(folder):
        return publish(read.load_record(folder), folder, formats)


def publish_again(folder: Path) -> None:
    """Write all files that an episode has again, with the corrections in its folder laid over its record.

    What other programs write meanwhile is heeded, and nobody waits for the rendering. Raises as
    `outputs.library.write.publish`, and as `outputs.library.read` where there is no record.
    """
    for last in (*[False] * (ATTEMPTS - 1), True):
        seen = _stamps(folder)
        formats = (*present_formats(folder), *OF_CHAPTERS)  # which an edit may have made
        contents = contents_of(read.load_record(folder), folder, formats)
        with corrections.locked(folder):
            if last or _stamps(folder) == seen:
                replace_files(contents)
                return


def _stamps(folder: Path) -> list[object]:
    return [stamp(folder / name) for name in (EPISODE.file_name, corrections.FILE_NAME)]


def main(folder: Path) -> int:
    """Write an episode's files again, and yield to everything else; the exit code."""
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)
    try:
        publish_again(folder)
    except EpiscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
