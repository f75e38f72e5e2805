"""coop for Python: a function for each verb; `letter_write` is `coop letter write`.

A verb's words come first, its flags by name; `from_` is --from. A flag that takes a list takes one
value or several. Every function of a verb also takes `as_id` (who speaks, else PIPPA_COOP_ID),
`scope` (the project), `db` (the store) and `wait` (seconds for locks); those that write take `key`,
which makes a repeat safe. They give the `data` of --json: a Records, or a Record of which the
docstring names the key of what is listed. A list has the newest 50, unless `limit` says otherwise
(0 for all): `truncated` and `total` say what is left out.

What fails is raised by exit code, as a subclass of CoopError; what coop warns of is a CoopWarning,
and stands in `warnings` of the answer. A caller that is killed, or does not wait any longer, takes
nothing back: its command may still write, for as long as `wait`. Repeat it with its `key`. `coop
SURFACE VERB --help` tells more of each.
"""

import os
from typing import Optional

from ._call import Many, Path, Ref, Seconds, Text, Whole, nothing, record, records
from ._call import (
    Busy,
    Conflict,
    CoopError,
    CoopNotFound,
    CoopWarning,
    Empty,
    Failed,
    NotFound,
    OutcomeUnknown,
    Record,
    Records,
    Unavailable,
    UsageError,
)

__all__ = [
    "Busy", "Conflict", "CoopError", "CoopNotFound", "CoopWarning", "Empty", "Failed", "NotFound",
    "OutcomeUnknown", "Record", "Records", "Unavailable", "UsageError",
    "add_history_entry", "letter_write", "letter_read", "letter_start", "letter_ack",
    "letter_abandon", "letter_reopen", "letter_list", "letter_show", "request_open",
    "request_reply", "request_accept", "request_done", "request_decline", "request_cancel",
    "request_reopen", "request_assign", "request_edit", "request_list", "request_show", "todo_add",
    "todo_start", "todo_stop", "todo_block", "todo_done", "todo_drop", "todo_reopen", "todo_assign",
    "todo_edit", "todo_ready", "todo_list", "todo_show", "history_add", "history_commit",
    "history_edit", "history_list", "history_pending", "history_show", "queue_push", "queue_take",
    "queue_reply", "queue_done", "queue_release", "queue_drop", "queue_reopen", "queue_replies",
    "queue_list", "queue_show", "queue_stats", "queue_stale", "queue_archive", "show", "log", "who",
    "whoami", "init", "backup", "doctor", "copy", "restore", "redact",
]

ID_OF_PROGRAMS = "python"


def add_history_entry(
    scope: str, slug: str, title: str, body: str, commit_sha: Text = None, as_id: Text = None,
) -> Record:
    """Write down the why of a commit. The same entry again adds no other, and fills in its commit.

    It speaks as `as_id`, else as PIPPA_COOP_ID, else as "python": the one function with an id of
    its own, for programs that have none to give.
    """
    speaker = as_id or os.environ.get("PIPPA_COOP_ID") or ID_OF_PROGRAMS
    return history_add(
        title, body=body, slug=slug, commit=commit_sha or None, scope=scope, as_id=speaker
    )


def letter_write(
    title: Text = None, *, body: str, to: Text = None, supersedes: Many = None, key: Text = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Write a letter, to yourself unless `to` says otherwise."""
    return record("letter write", locals())


def letter_read(
    letter: Optional[Ref] = None, *, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Records:
    """Read the open letters to you, or one; what is given in full becomes read.

    A body that is not `complete` is cut, or None in a letter of another project: by its ref a
    letter is read whole.
    """
    return records("letter read", locals(), "letter")


def letter_start(
    letter: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Begin work on a letter. Of many that try one wins, the others get Conflict."""
    return record("letter start", locals(), "letter")


def letter_ack(
    letter: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Finish a letter."""
    return record("letter ack", locals(), "letter")


def letter_abandon(
    letter: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Give a letter up."""
    return record("letter abandon", locals(), "letter")


def letter_reopen(
    letter: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Open a closed letter again."""
    return record("letter reopen", locals(), "letter")


def letter_list(
    *, status: Many = None, from_: Many = None, since: Text = None, before: Optional[Ref] = None,
    limit: Whole = None, all_scopes: bool = False, to: Many = None, mine: bool = False,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Records:
    """List letters of every state, newest first; changes nothing."""
    return records("letter list", locals())


def letter_show(
    letter: Ref, *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Show a letter; it stays unread."""
    return record("letter show", locals(), "letter")


def request_open(
    title: str, *, to: str, body: str, kind: Text = None, key: Text = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Ask somebody for something; it waits on them until they answer."""
    return record("request open", locals())


def request_reply(
    request: Ref, body: str, *, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Say something in a request's thread, in any state."""
    return record("request reply", locals(), "request")


def request_accept(
    request: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Take a request on. Of many that try one wins, the others get Conflict."""
    return record("request accept", locals(), "request")


def request_done(
    request: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Finish a request."""
    return record("request done", locals(), "request")


def request_decline(
    request: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Refuse a request."""
    return record("request decline", locals(), "request")


def request_cancel(
    request: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Take your own request back."""
    return record("request cancel", locals(), "request")


def request_reopen(
    request: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Open a closed request again."""
    return record("request reopen", locals(), "request")


def request_assign(
    request: Ref, *, to: str, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Hand a request to another id."""
    return record("request assign", locals(), "request")


def request_edit(
    request: Ref, *, title: Text = None, body: Text = None, kind: Text = None,
    key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Change a request's title, text or kind."""
    return record("request edit", locals(), "request")


def request_list(
    *, status: Many = None, from_: Many = None, since: Text = None, before: Optional[Ref] = None,
    limit: Whole = None, all_scopes: bool = False, to: Many = None, mine: bool = False,
    waiting_on: Many = None, kind: Many = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Records:
    """List unfinished requests, newest first."""
    return records("request list", locals())


def request_show(
    request: Ref, *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Show a request with its thread."""
    return record("request show", locals(), "request")


def todo_add(
    title: str, *, body: Text = None, to: Text = None, priority: Whole = None, after: Many = None,
    key: Text = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Add something to be done; priority 0 is first, 4 last."""
    return record("todo add", locals())


def todo_start(
    todo: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Begin a todo; take it if it is nobody's. Of many that try one wins, the others: Conflict."""
    return record("todo start", locals(), "todo")


def todo_stop(
    todo: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Put a todo back."""
    return record("todo stop", locals(), "todo")


def todo_block(
    todo: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Say that a todo cannot go on."""
    return record("todo block", locals(), "todo")


def todo_done(
    todo: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Finish a todo."""
    return record("todo done", locals(), "todo")


def todo_drop(
    todo: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Drop a todo."""
    return record("todo drop", locals(), "todo")


def todo_reopen(
    todo: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Open a finished todo again."""
    return record("todo reopen", locals(), "todo")


def todo_assign(
    todo: Ref, *, to: Text = None, nobody: bool = False,
    key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Give an unfinished todo to an id, or to nobody."""
    return record("todo assign", locals(), "todo")


def todo_edit(
    todo: Ref, *, title: Text = None, body: Text = None, priority: Whole = None,
    after: Many = None, not_after: Many = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Change a todo's title, text, priority or what it comes after."""
    return record("todo edit", locals(), "todo")


def todo_ready(
    *, to: Many = None, mine: bool = False, nobody: bool = False, limit: Whole = None,
    all_scopes: bool = False,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """List the `todos` that can be started now, most urgent first."""
    return record("todo ready", locals())


def todo_list(
    *, status: Many = None, from_: Many = None, since: Text = None, before: Optional[Ref] = None,
    limit: Whole = None, all_scopes: bool = False, to: Many = None, mine: bool = False,
    nobody: bool = False, priority: Many = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Records:
    """List unfinished todos, newest first."""
    return records("todo list", locals())


def todo_show(
    todo: Ref, *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Show a todo."""
    return record("todo show", locals(), "todo")


def history_add(
    title: Text = None, *, body: str, slug: Text = None, commit: Text = None, key: Text = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Write down the why of a commit, before the commit."""
    return record("history add", locals())


def history_commit(
    entry: Optional[Ref] = None, sha: Text = None, *, replace: bool = False,
    key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Fill in an entry's commit: a sha or HEAD, which alone is for your one pending entry."""
    return record("history commit", locals(), "entry", "sha")


def history_edit(
    entry: Ref, *, title: Text = None, body: Text = None, slug: Text = None,
    key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Change an entry's title, body or slug."""
    return record("history edit", locals(), "entry")


def history_list(
    *, status: Many = None, from_: Many = None, since: Text = None, before: Optional[Ref] = None,
    limit: Whole = None, all_scopes: bool = False,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Records:
    """List history entries, newest first."""
    return records("history list", locals())


def history_pending(
    *, from_: Many = None, since: Text = None, before: Optional[Ref] = None,
    limit: Whole = None, all_scopes: bool = False,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """List the `entries` that wait for their commit."""
    return record("history pending", locals())


def history_show(
    entry: Ref, *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Show an entry in full."""
    return record("history show", locals(), "entry")


def queue_push(
    queue: str, payload: Text = None, *, to: Many = None, priority: Whole = None,
    re: Optional[Ref] = None, jsonl: Text = None, key: Text = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Push an item for anyone or for the id of `to`.

    For several ids it gives the `ref` of all and the `items`. `jsonl` holds lines of JSON, an item
    each, and gives the `count` and the `refs`.
    """
    return record("queue push", locals(), "queue")


def queue_take(
    queue: Optional[Ref] = None, *, count: Whole = None,
    key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Records:
    """Take one, or up to `count`, of what waits for you or for anyone; [] when nothing does."""
    try:
        return records("queue take", locals(), "queue")
    except Empty as empty:
        return nothing(empty)


def queue_reply(
    item: Ref, body: str, *, from_: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Reply to an item that is not dropped."""
    return record("queue reply", locals(), "item")


def queue_done(
    item: Ref, *, reply: Text = None, body: Text = None, from_: Text = None,
    key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Finish an item that is taken."""
    return record("queue done", locals(), "item")


def queue_release(
    item: Ref, *, body: Text = None, from_: Text = None,
    key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Put an item back for others to take."""
    return record("queue release", locals(), "item")


def queue_drop(
    item: Ref, *, body: Text = None, from_: Text = None,
    key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Give an item up."""
    return record("queue drop", locals(), "item")


def queue_reopen(
    item: Ref, *, body: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Let a finished item wait again."""
    return record("queue reopen", locals(), "item")


def queue_replies(
    item: Ref, *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Records:
    """What was replied to an item, or to each of a push to several (F2), and who is missing."""
    return records("queue replies", locals(), "item")


def queue_list(
    queue: Text = None, *, status: Many = None, from_: Many = None, since: Text = None,
    before: Optional[Ref] = None, limit: Whole = None, all_scopes: bool = False, to: Many = None,
    mine: bool = False, priority: Many = None, taken_by: Many = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Records:
    """List the items that wait or are taken, newest first."""
    return records("queue list", locals(), "queue")


def queue_show(
    item: Ref, *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Show an item with its replies, or the items of a push to several."""
    return record("queue show", locals(), "item")


def queue_stats(
    queue: Text = None, *,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Count what waits, is taken, done and dropped in each of the `queues`."""
    return record("queue stats", locals(), "queue")


def queue_stale(
    queue: Text = None, *, older: str, limit: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """List the `items` taken for longer than `older`, such as 2h, the longest first."""
    return record("queue stale", locals(), "queue")


def queue_archive(
    queue: Text = None, *, older: str, to: Path, limit: Whole = None, key: Text = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Move items finished for longer than `older`, such as 90d, out of the store into a file."""
    return record("queue archive", locals(), "queue")


def show(
    ref: str, *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Show any record by its ref."""
    return record("show", locals(), "ref")


def log(
    ref: Text = None, *, by: Text = None, since: Text = None, before: Whole = None,
    limit: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """What was changed, by whom and when: `events`, newest first; `before` is the id of one."""
    return record("log", locals(), "ref")


def who(
    id: Text = None, *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """The `ids` that take part, when they last wrote, and what is open on whom; of one its refs."""
    return record("who", locals(), "id")


def whoami(
    *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Who you are here: id, scope and store."""
    return record("whoami", locals())


def init(
    *, upgrade: bool = False, journal: Text = None, one_host: bool = False, snapshot_every: Text = None,
    group: Text = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Make the store, if it is not there."""
    return record("init", locals())


def backup(
    *, to: Path = None, keep: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Copy the store as it is now into a checked file; `to` is a folder or the file."""
    return record("backup", locals())


def doctor(
    *, as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Look at the store and all around it; checks that fail are in the answer, never raised."""
    return record("doctor", locals())


def copy(
    *, from_: Path, to: Path, undo: bool = False,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Move all that a store holds to one that was just made and holds nothing; `undo` goes back."""
    return record("copy", locals())


def restore(
    file: Path, *, key: Text = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Put back the store as a snapshot or a backup holds it; the present one is saved first."""
    return record("restore", locals(), "file")


def redact(
    ref: str, *, text: Text = None, key: Text = None, if_version: Whole = None,
    as_id: Text = None, scope: Text = None, db: Path = None, wait: Seconds = None,
) -> Record:
    """Replace all texts of a record, or one text in it, by a tombstone."""
    return record("redact", locals(), "ref")
