"""Database calls of a consumer, over one connection that stays open."""

from __future__ import annotations

from typing import Any

from asgiref.sync import SyncToAsync
from django.db import connections


class KeepingConnection(SyncToAsync):
    """Like `channels.db.database_sync_to_async`, which closes the connection after every call; this one keeps it.

    All calls run in one thread, so there is one connection. Opening another for each click costs milliseconds, and with
    SQLite closing the last one also folds its log into the file. A connection that failed is closed, and the next call
    opens a new one.
    """

    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().thread_handler(loop, *args, **kwargs)
        finally:
            for connection in connections.all(initialized_only=True):
                if connection.errors_occurred:
                    connection.close_if_unusable_or_obsolete()


in_database = KeepingConnection
