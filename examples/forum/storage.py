"""The forum's posts: rows in SQLite, pictures as files beside it, and the removals that were ordered.

A post that is removed loses its picture and its title for good; what stays says only that something was here.
An upload is announced before it is checked, so that an order to remove it in between is not lost.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forum.database import Database
from forum.intake import Picture

# A webhook older than five minutes is refused anyway (staydown.client.webhooks.TOLERANCE).
_EVENTS_REMEMBERED = timedelta(days=1)
_POST_COLUMNS = "id, member, title, file, state, posted_at, id IN (SELECT post_id FROM unchecked)"


@dataclass(frozen=True)
class Post:
    """A picture on the forum. `state` is published, held or removed."""

    id: str
    member: str
    title: str
    file: str
    state: str
    posted_at: datetime
    unchecked: bool

    @property
    def small_file(self) -> str:
        """The name of the small picture for lists."""
        return _small_file(self.id)


class Storage:
    """Posts and their pictures in one folder. One process may use it at a time."""

    def __init__(self, folder: Path) -> None:
        self.media = folder / "media"
        self.media.mkdir(parents=True, exist_ok=True)
        self.database = Database(folder / "forum.sqlite3")

    # --- posts

    def announce(self, post_id: str) -> None:
        """Says that a post is about to be checked; nothing of it is stored yet."""
        with self.database.writing() as database:
            database.execute("INSERT INTO announced VALUES (?)", (post_id,))

    def withdraw_announcement(self, post_id: str) -> None:
        """The announced post will not come."""
        with self.database.writing() as database:
            database.execute("DELETE FROM announced WHERE post_id = ?", (post_id,))

    def add_post(
        self, *, post_id: str, member: str, title: str, picture: Picture, state: str, unchecked: bool = False
    ) -> bool:
        """Stores an announced post. False, and nothing is kept, if it was ordered removed meanwhile.

        The files come first: a process that dies in between leaves files that no page shows, and
        `tidy_up` finds them. The other way round a page would show a picture that is not there.
        """
        file = f"{post_id}.{picture.ending}"
        self._write(file, picture.content)
        self._write(_small_file(post_id), picture.small)
        values = (post_id, member, title, file, state, datetime.now(UTC).isoformat())
        with self.database.writing() as database:
            wanted = database.execute("DELETE FROM announced WHERE post_id = ?", (post_id,)).rowcount
            if wanted:
                database.execute("INSERT INTO post VALUES (?, ?, ?, ?, ?, ?)", values)
            if wanted and unchecked:
                database.execute("INSERT INTO unchecked VALUES (?)", (post_id,))
        if not wanted:
            self._delete(file, _small_file(post_id))
        return bool(wanted)

    def post(self, post_id: str) -> Post | None:
        """One post, also a removed one."""
        found = self._posts("id = ?", post_id)
        return found[0] if found else None

    def published(self, *, offset: int = 0, limit: int = 1000) -> list[Post]:
        """What everybody sees, newest first."""
        return self._posts("state = 'published'", offset=offset, limit=limit)

    def held(self) -> list[Post]:
        """What waits for a moderator."""
        return self._posts("state = 'held'")

    def unchecked(self) -> list[Post]:
        """What is held only because Staydown could not be asked, oldest first."""
        return self._posts("state = 'held' AND id IN (SELECT post_id FROM unchecked)")[::-1]

    def posts_of(self, member: str) -> list[Post]:
        """A member's own posts that are not removed."""
        return self._posts("member = ? AND state != 'removed'", member)

    def _posts(self, condition: str, *values: str, offset: int = 0, limit: int = 1000) -> list[Post]:
        query = f"SELECT {_POST_COLUMNS} FROM post WHERE {condition} ORDER BY posted_at DESC, id DESC"
        with self.database.reading() as database:
            rows = database.execute(query + " LIMIT ? OFFSET ?", (*values, limit, offset)).fetchall()
        return [
            Post(
                id=row[0],
                member=row[1],
                title=row[2],
                file=row[3],
                state=row[4],
                posted_at=datetime.fromisoformat(row[5]),
                unchecked=bool(row[6]),
            )
            for row in rows
        ]

    def publish(self, post_id: str) -> None:
        """Publishes a held post; one that was removed meanwhile stays removed."""
        with self.database.writing() as database:
            database.execute(
                "UPDATE post SET state = 'published' WHERE id = ? AND state = 'held'", (post_id,)
            )
            database.execute("DELETE FROM unchecked WHERE post_id = ?", (post_id,))

    def leave_to_moderator(self, post_id: str) -> None:
        """The check that was missing came, and it says: hold."""
        with self.database.writing() as database:
            database.execute("DELETE FROM unchecked WHERE post_id = ?", (post_id,))

    def remove(self, post_id: str) -> None:
        """Deletes the picture and the title for good; doing it twice changes nothing.

        The row goes first, so that no page shows the post from now on; `file` stays in it until the files
        are gone, so that a removal that was interrupted here is finished by the next attempt.
        """
        with self.database.writing() as database:
            database.execute("DELETE FROM announced WHERE post_id = ?", (post_id,))
            database.execute("DELETE FROM unchecked WHERE post_id = ?", (post_id,))
            database.execute("UPDATE post SET state = 'removed', title = '' WHERE id = ?", (post_id,))
        post = self.post(post_id)
        if post is not None and post.file:
            self._delete(post.file, post.small_file)
            with self.database.writing() as database:
                database.execute("UPDATE post SET file = '' WHERE id = ?", (post_id,))
        self.database.empty_write_ahead_log()

    def tidy_up(self) -> int:
        """Deletes what a process that died left behind; only while nobody uploads. Returns how many files."""
        with self.database.writing() as database:
            database.execute("DELETE FROM announced")
            rows = database.execute("SELECT id, file FROM post WHERE state != 'removed'").fetchall()
        wanted = {name for post_id, file in rows for name in (file, _small_file(post_id))}
        strays = [path.name for path in self.media.iterdir() if path.name not in wanted]
        self._delete(*strays)
        return len(strays)

    def _write(self, file: str, content: bytes) -> None:
        with (self.media / file).open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())

    def _delete(self, *files: str) -> None:
        for file in files:
            (self.media / file).unlink(missing_ok=True)

    # --- what Staydown ordered

    def order_removal(self, copy_id: str, *, event_id: str) -> bool:
        """Remembers that a copy is to go. False for a webhook that was heard before: nothing changes.

        A new webhook about a copy that was done is done again: Staydown may have lost our answer.
        """
        now = datetime.now(UTC)
        with self.database.writing() as database:
            database.execute("DELETE FROM heard WHERE at < ?", ((now - _EVENTS_REMEMBERED).isoformat(),))
            hear = "INSERT OR IGNORE INTO heard VALUES (?, ?)"
            new = database.execute(hear, (event_id, now.isoformat())).rowcount
            if new:
                database.execute(
                    "INSERT INTO removal VALUES (?, NULL) ON CONFLICT DO UPDATE SET done_at = NULL",
                    (copy_id,),
                )
        return bool(new)

    def removals_to_do(self) -> list[str]:
        """The copies that are still to go."""
        with self.database.reading() as database:
            rows = database.execute("SELECT copy_id FROM removal WHERE done_at IS NULL").fetchall()
        return [row[0] for row in rows]

    def removal_done(self, copy_id: str) -> None:
        """Notes that nothing is left to do about a copy."""
        with self.database.writing() as database:
            database.execute(
                "UPDATE removal SET done_at = ? WHERE copy_id = ?", (datetime.now(UTC).isoformat(), copy_id)
            )


def _small_file(post_id: str) -> str:
    return f"{post_id}.small.jpg"
