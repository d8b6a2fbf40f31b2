"""The process that sends one message by Apprise: `python -m flows.schedule.sending`, for `flows.schedule.notices`.

Address and text come on standard input as JSON, and why the message was not taken goes to standard output, made only
of words of ours: whatever else is said here, where addresses would be among it, is heard by nobody.
"""

from __future__ import annotations

import json
import logging
import re
import sys

# Services of the desktop in front of which somebody would have to sit, and of the machine's own log and lights.
LOCAL = ("blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows")
STATUS = re.compile(r"error=(\d{3})\b")


class _Reasons(logging.Handler):
    """What Apprise says of failures, as far as it can be told on: the status of an answer, or that there was none."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found = dict[str, None]()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what can be told."""
        said = record.getMessage()
        if status := STATUS.search(said):
            self.found[f"answered {status[1]}"] = None
        elif "onnection" in said or "ocket" in said:
            self.found["it can't be reached"] = None


def send(url: str, title: str, body: str, kind: str) -> str:
    """Send a message to one address; why it was not taken, else ""."""
    import apprise

    if url.partition("://")[0].lower() in LOCAL:
        return "no service that reaches anybody elsewhere"
    reasons = _Reasons()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [reasons], False
    asset = apprise.AppriseAsset(
        app_id="Episcribe",
        app_desc="Episcribe",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        plugin_paths=[],
        interpret_emojis=False,
    )
    service = apprise.Apprise(asset=asset)
    if not service.add(url):
        return "Apprise knows no such address"
    if len(service) != 1:  # when one fails all would be told again
        return "several addresses in one: put spaces between them"
    if service.notify(
        body=body, title=title, notify_type=apprise.NotifyType(kind), body_format=apprise.NotifyFormat.TEXT
    ):
        return ""
    return "not taken" + (f": {', '.join(reasons.found)}" if reasons.found else "")


if __name__ == "__main__":
    print(json.dumps(send(**json.load(sys.stdin))))
