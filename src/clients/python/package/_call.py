"""Finds coop, runs one command of it, and says in Python how it ended."""

import errno
import inspect
import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional, TypeVar, Union

Text = Optional[str]
Whole = Optional[int]
Seconds = Optional[float]
Ref = Union[str, int]
Path = Union[None, str, "os.PathLike[str]"]
Many = Union[None, Ref, Iterable[Ref]]


class Answer:
    """What coop says beside the data."""

    #: It was done before, with the same key.
    replayed: bool = False
    #: How many match in all, or how far was counted.
    total: Optional[int] = None
    #: Whether `total` is all of them.
    total_exact: bool = True
    #: Some of them were left out.
    truncated: bool = False
    #: How many finished ones match too, where a list leaves them out.
    finished: Optional[int] = None
    #: How many more there are in other projects, where a list was asked for somebody and no project was named.
    elsewhere: Optional[int] = None
    #: Of what else something is open on who reads letters: requests, todos, items, taken.
    also_open: Sequence[str] = ()
    #: What coop warns of, each with its `code` and `message`: Python shows a CoopWarning once a line.
    warnings: Sequence[dict[str, str]] = ()


class Record(dict[str, Any], Answer):
    """An answer by the keys of coop's JSON."""


class Records(list[dict[str, Any]], Answer):
    """An answer of several."""


AnAnswer = TypeVar("AnAnswer", bound=Answer)


class CoopWarning(UserWarning):
    """What succeeded, but perhaps not as it was meant: for an id that never wrote, for example.

    `code` is coop's word for it. Where warnings are raised as errors, `answer` is what coop answered.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.answer: Any = None


class CoopError(Exception):
    """A command that failed: what is wrong (`message`) and what to do about it (`hint`).

    `code` and `reason` are coop's words for why; `ref` and `current` tell a conflict's record as it
    is now.
    """

    #: As of an answer.
    warnings: Sequence[dict[str, str]] = ()

    def __init__(
        self, message: str, exit_code: int = 1, code: str = "failed", reason: Text = None,
        hint: Text = None, ref: Text = None, current: Optional[dict[str, Any]] = None,
    ) -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.message = message
        self.exit_code = exit_code
        self.code = code
        self.reason = reason
        self.hint = hint
        self.ref = ref
        self.current = current


class Failed(CoopError):
    """Exit 1: a defect in coop."""


class UsageError(CoopError):
    """Exit 2: a wrong value or ref, no id, or a text that cannot be kept."""


class NotFound(CoopError):
    """Exit 3: there is no such record."""


class Conflict(CoopError):
    """Exit 4: not as things are; `reason` is state, claimed, version, key, slug, cycle or moved."""


class Empty(CoopError):
    """Exit 5: nothing waits to be taken."""


class Unavailable(CoopError):
    """Exit 6: the store cannot be used; `reason` is no_store, read_only, full or another."""


class Busy(CoopError):
    """Exit 7: the lock was not had within `wait` seconds. Try again."""


class OutcomeUnknown(CoopError):
    """Exit 8, or coop was killed: it may be written. Repeat it with the same `key`, or look."""


class CoopNotFound(CoopError):
    """There is no coop to run."""


_KINDS: dict[str, tuple[int, type[CoopError]]] = {
    "failed": (1, Failed), "usage": (2, UsageError), "not_found": (3, NotFound),
    "conflict": (4, Conflict), "empty": (5, Empty), "unavailable": (6, Unavailable),
    "busy": (7, Busy), "unknown": (8, OutcomeUnknown),
}
_SWITCHES = ("all_scopes", "mine", "nobody", "one_host", "replace", "undo", "upgrade")
#: Whether they name nothing or are left out is one; a filter of nothing would be one of all.
_MAY_BE_EMPTY = ("after", "not_after", "supersedes")
_LONG_TEXTS = ("body", "payload", "reply", "jsonl", "text")


def find_coop() -> str:
    """The coop to run: what COOP_BIN names, else the one on PATH, else the one in this folder.

    Raises CoopNotFound, also when COOP_BIN names no program: another coop may not be what is meant.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    named = os.environ.get("COOP_BIN")
    if named:
        found = shutil.which(named)
    else:
        found = shutil.which("coop") or shutil.which("coop", path=here)
    if found:
        return found
    # From an archive no program is run.
    beside = f" or into {here}" if os.path.isdir(here) else ""
    raise CoopNotFound(
        f"COOP_BIN is '{named}', which is no program" if named else "there is no coop to run",
        exit_code=127,
        code="not_installed",
        hint=f"set COOP_BIN to its path, or put it on PATH{beside}",
    )


def record(verb: str, given: Mapping[str, Any], *words: str) -> Record:
    """Runs a verb that answers one object; `words` are those of the given that have no flag."""
    document = _call(verb, given, words)
    return _told(Record(document["data"]), document)


def records(verb: str, given: Mapping[str, Any], *words: str) -> Records:
    """Runs a verb that answers an array; `words` are those of the given that have no flag."""
    document = _call(verb, given, words)
    return _told(Records(document["data"]), document)


def _told(answer: AnAnswer, document: Mapping[str, Any]) -> AnAnswer:
    """The answer with what is beside its data."""
    answer.replayed = document.get("replayed", False)
    answer.total = document.get("total")
    answer.total_exact = document.get("total_exact", True)
    answer.truncated = document.get("truncated", False)
    answer.finished = document.get("finished")
    answer.elsewhere = document.get("elsewhere")
    answer.also_open = document.get("also_open", [])
    answer.warnings = document.get("warnings", [])
    return _unless(_warn(answer.warnings), answer)


def nothing(empty: Empty) -> Records:
    """An answer of none, for the error that says so."""
    answer = Records()
    answer.warnings = empty.warnings
    return _unless(empty.__cause__, answer)


def _unless(raised: Optional[BaseException], answer: AnAnswer) -> AnAnswer:
    """The answer, unless a warning is to be an error: what was written must not be lost to it."""
    if isinstance(raised, CoopWarning):
        raised.answer = answer
        raise raised
    return answer


def _warn(told: Iterable[Mapping[str, str]]) -> Optional[CoopWarning]:
    """Warns of each, and gives the first that is to be raised as an error."""
    first = None
    for each in told:
        try:
            warnings.warn(CoopWarning(each["message"], each["code"]), stacklevel=_callers_level())
        except CoopWarning as raised:
            first = first or raised
    return first


def _call(verb: str, given: Mapping[str, Any], words: Iterable[str]) -> dict[str, Any]:
    texts = {name: given[name] for name in _LONG_TEXTS if given.get(name) is not None}
    flags = [
        _flag(name, value)
        for name, value in given.items()
        if value is not None and name not in texts and name not in words
    ]
    places = [_word(name, given[name]) for name in words if given[name] is not None]
    coop = find_coop()
    done = _run([coop, "--json", *verb.split(), *[flag for flag in flags if flag]], texts, places)
    document = _document(done)
    if "data" not in document:
        failed = _error(coop, done, document.get("error"))
        failed.warnings = document.get("warnings", [])
        raise failed from _warn(failed.warnings)
    return document


def _document(done: "subprocess.CompletedProcess[bytes]") -> dict[str, Any]:
    """What coop answered; empty where that is none of its documents."""
    try:
        # What answers that something is wrong, as doctor may, answers all the same.
        document: dict[str, Any] = json.loads(done.stdout or done.stderr)
    except ValueError:
        return {}
    known = isinstance(document, dict) and document.get("schema") == 1
    return document if known else {}


def _callers_level() -> int:
    """How far above who asks the first line is that is not of this package."""
    here = os.path.dirname(os.path.abspath(__file__))
    level, frame = 1, inspect.currentframe()
    while frame and os.path.dirname(os.path.abspath(frame.f_code.co_filename)) == here:
        level, frame = level + 1, frame.f_back
    return level - 1


def _flag(name: str, value: Any) -> str:
    """A flag with its value; nothing for what is off, or a list of nothing."""
    flag = "--as" if name == "as_id" else "--" + name.rstrip("_").replace("_", "-")
    if name in _SWITCHES and isinstance(value, bool):
        return flag if value else ""
    if isinstance(value, (str, int, float, os.PathLike)) or not isinstance(value, Iterable):
        return f"{flag}={_word(name, value)}"
    # The parts of bytes and of mappings are not what was meant.
    several = not isinstance(value, (bytes, bytearray, memoryview, Mapping))
    values = [_word(name, each) for each in value] if several else [_word(name, value)]
    if not values and name not in _MAY_BE_EMPTY:
        raise _unkept(f"{name}: is a list of nothing")
    return f"{flag}={','.join(values)}" if values else ""


def _word(name: str, value: Any) -> str:
    if isinstance(value, os.PathLike):
        value = os.fsdecode(value)
    if isinstance(value, float):
        # Python itself would write small ones with an exponent.
        return f"{value:.9f}"
    # As they are: those of an Enum may call themselves by its name.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__repr__(value)
    raise TypeError(f"{name} is text or a number, not {type(value).__name__}")


def _run(
    command: list[str], texts: Mapping[str, str], places: list[str]
) -> "subprocess.CompletedProcess[bytes]":
    """A long text goes by standard input, a second one by a file: argv is too short for them."""
    files: list[str] = []
    stdin: Optional[bytes] = None
    try:
        for name, text in texts.items():
            content = _content(name, text)
            if stdin is None:
                stdin = content
                command.append(f"--{name}=-")
            else:
                files.append(_file(content))
                # Lines come from a file by the flag itself.
                by_file = name if name == "jsonl" else f"{name}-file"
                command.append(f"--{by_file}={files[-1]}")
        return _ended(_encoded([*command, "--", *places]), stdin or b"")
    finally:
        for path in files:
            os.unlink(path)


def _ended(argv: list[Any], stdin: bytes) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(argv, input=stdin, capture_output=True)
    except OSError as error:
        # Windows says of a line that is too long that there is no such file.
        if error.errno == errno.E2BIG or getattr(error, "winerror", None) == 206:
            raise _unkept("a word, a title or a list is too long") from None
        raise not_runnable(argv[0], error) from None


def not_runnable(coop: Any, error: OSError) -> Exception:
    """What to raise for a coop that the system does not run."""
    if error.errno not in (errno.ENOEXEC, errno.EACCES, errno.EPERM, errno.ENOENT):
        return error
    return CoopNotFound(
        f"{os.fsdecode(coop)} cannot be run: {os.strerror(error.errno)}",
        exit_code=126,
        code="not_installed",
        hint="put the coop that was built for this machine there",
    )


def _content(name: str, text: str) -> bytes:
    if not isinstance(text, str):
        how = "'\\n'.join(map(json.dumps, lines))" if name == "jsonl" else "json.dumps"
        more = "" if isinstance(text, (bytes, os.PathLike)) else f": {how} makes text of it"
        raise TypeError(f"{name} is text, not {type(text).__name__}{more}")
    try:
        # As words are: of the bytes of an argument Python may have made half surrogates.
        content = text.encode("utf-8", "surrogateescape")
        content.decode("utf-8")
    except UnicodeError:
        raise _unkept(f"{name}: holds half a surrogate pair") from None
    return content


def _unkept(message: str) -> UsageError:
    return UsageError(message, 2, "usage")


def _file(content: bytes) -> str:
    try:
        handle, path = tempfile.mkstemp(prefix="coop-")
    except OSError as error:
        raise Unavailable(
            f"a second long text goes by a temporary file, which cannot be made: {error}",
            6, "unavailable", "access", "set TMPDIR to a folder that can be written",
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return path


def _encoded(command: list[str]) -> list[Any]:
    """UTF-8 whatever the locale says; Windows takes text."""
    if any("\0" in word for word in command):
        raise _unkept("a word or title may not hold U+0000")
    try:
        argv: list[Any] = [word.encode("utf-8", "surrogateescape") for word in command]
    except UnicodeEncodeError:
        raise _unkept("a word or title holds half a surrogate pair") from None
    return argv if os.name != "nt" else [*command]


def _error(
    coop: str, done: "subprocess.CompletedProcess[bytes]", error: Optional[Mapping[str, Any]]
) -> CoopError:
    if not error or "code" not in error or "message" not in error:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[:500]
        # So shells and `python -m` this package say that they ran no coop.
        if done.returncode in (126, 127):
            return CoopNotFound(said or f"{coop} ran no coop", done.returncode, "not_installed")
        codes = {exit_code: (code, kind) for code, (exit_code, kind) in _KINDS.items()}
        unknown = ("unknown", OutcomeUnknown)
        code, kind = codes.get(done.returncode, unknown)
        # So a program ends on Windows that was killed; coop says what is the matter.
        if kind is Failed and not said:
            code, kind = unknown
        return kind(
            said if kind is not OutcomeUnknown and said
            else f"{coop} ended with {done.returncode} and gave no answer of coop's: {said!r}",
            done.returncode,
            code,
            hint="it may be written: repeat it with the same key, or look"
            if kind is OutcomeUnknown
            else None,
        )
    # Where a program ignores what becomes of its children, Python does not know with what they ended.
    exit_code, kind = _KINDS.get(error["code"], (done.returncode, OutcomeUnknown))
    return kind(
        error["message"],
        exit_code,
        error["code"],
        error.get("reason"),
        error.get("hint"),
        error.get("ref"),
        error.get("current"),
    )
