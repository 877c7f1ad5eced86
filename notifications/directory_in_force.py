"""The directory that counts now, as a process that looks at it again and again keeps it. Source: R25."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from notifications.directory import Directory, Recipient, newest_version


class DirectoryInForce:
    """The recipients of the newest version, read again only when another one came into force."""

    def __init__(self) -> None:
        self._read: tuple[int, dict[str, Recipient]] = (0, {})  # one value: threads share it
        self._reading = threading.Lock()

    def by_id(self, connection: Connection) -> dict[str, Recipient]:
        """The recipients as they are now.

        Raises:
            NotFound: no directory was imported.
        """
        newest = newest_version(connection)
        return self.of_version(connection, newest[0] if newest else None)

    def of_version(self, connection: Connection, newest: int | None) -> dict[str, Recipient]:
        """The same for who has just looked which version is the newest; None before the first."""
        read = self._read
        if newest != read[0]:
            with self._reading:  # half a second for ten thousand: who wants the same waits for it
                read = self._read
                if newest != read[0]:
                    loaded = Directory.load(connection, newest)
                    read = self._read = (loaded.version, loaded.by_id())
        return read[1]
