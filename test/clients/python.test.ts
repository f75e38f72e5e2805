import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { chmod, mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { version } from "../../package.json";
import { GLOBALS } from "../../src/cli/args";
import { flagName, type Arg, type Args, type Verb } from "../../src/cli/define";
import root from "../../src/root";
import { COOP } from "../binary";
import { story, type Outcome, type RunOptions, type Story } from "../story";

const PYTHON = findPython();

/** The interpreter itself: what PATH has may be a script that needs the machine's own HOME. */
function findPython(): string {
  const found = Bun.which("python3") ?? Bun.which("python");
  const needed = "the Python package is tested with Python 3.9 or newer";
  if (found === null) throw new Error(`${needed}, and PATH has no python3`);
  const ask = "import sys; assert sys.version_info >= (3, 9), sys.version; print(sys.executable)";
  const { success, stdout, stderr } = Bun.spawnSync([found, "-c", ask]);
  if (!success) throw new Error(`${needed}: ${stderr.toString()}`);
  return stdout.toString().trim();
}

interface PythonStory extends Story {
  /** The folder that the package is in. */
  tools: string;
  /** Runs a script in the story's folder. */
  script(text: string, options?: RunOptions): Promise<Outcome>;
  /** Runs a script that must succeed and print one JSON document. */
  // oxlint-disable-next-line no-explicit-any
  told(text: string, options?: RunOptions): Promise<any>;
}

/** A story in whose folder the package was written, with coop and python on PATH. */
async function pythonStory(settings?: { init: boolean }): Promise<PythonStory> {
  const coop = await story(settings);
  const bin = join(coop.home, "bin");
  await mkdir(bin);
  await symlink(COOP, join(bin, "coop"));
  await program(join(bin, "python"), `exec '${PYTHON}' "$@"`);
  await coop.data(["shim", "python", "--dir", "tools/coop"]);
  const PATH = `${bin}:${process.env["PATH"]}`;
  const run: Story["run"] = (words, options) =>
    coop.run(words, { ...options, env: { PATH, ...options?.env } });
  const script: PythonStory["script"] = (text, options) =>
    run(["-c", text], { program: PYTHON, ...options });
  return {
    ...coop,
    tools: join(coop.folder, "tools/coop"),
    run,
    script,
    told: async (text, options) => {
      const outcome = await script(text, options);
      if (outcome.exit === 0) return outcome.json();
      throw new Error(`exit ${outcome.exit}\n${outcome.err}`);
    },
  };
}

async function program(path: string, shell: string): Promise<void> {
  await Bun.write(path, `#!/bin/sh\n${shell}\n`);
  await chmod(path, 0o755);
}

const sh = (coop: Story, line: string) => coop.run(["-c", line], { program: "sh" });

test("the commands that people already type run unchanged", async () => {
  await using coop = await pythonStory();
  const write = ["letter", "write", "Where I stopped", "--body", "parser done"];
  const { ref } = await coop.data(write, { as: "claude-code-pippa" });

  const read = await sh(coop, "python -m tools.coop --as claude-code-pippa letter read");
  expect(read).toMatchObject({ exit: 0, err: "" });
  expect(read.out).toContain("parser done");
  const start = `python -m tools.coop --as claude-code-pippa letter start ${ref}`;
  expect(await sh(coop, start)).toMatchObject({ exit: 0, err: "" });
  const ack = `python -m tools.coop --as claude-code-pippa letter ack ${ref} --body "got it. shipped commit abc1234"`;
  expect(await sh(coop, ack)).toMatchObject({ exit: 0, err: "" });

  expect(await coop.data(["letter", "show", ref])).toMatchObject({
    state: "done",
    acknowledgement: "got it. shipped commit abc1234",
  });
});

test("python -m passes arguments, streams and exits on as they are", async () => {
  await using coop = await pythonStory();
  const through = (words: string[], options?: RunOptions) =>
    coop.run(["-m", "tools.coop", ...words], { program: PYTHON, ...options });
  const title = '--title=-\'"$HOME" 제목';
  const body = "첫 줄\r\n둘째 줄\n";

  const write = ["--as", "ann", "--quiet", "letter", "write", title, "--body", "-"];
  expect(await through(write, { stdin: body })).toMatchObject({ exit: 0, out: "L1\n", err: "" });
  expect(await coop.data(["letter", "show", "L1"])).toMatchObject({ title: title.slice(8), body });
  const raw = await through(["letter", "show", "L1", "--raw"]);
  expect(raw).toMatchObject({ exit: 0, out: body, err: "" });

  const missing = await through(["letter", "show", "L2"]);
  const { err } = await coop.run(["letter", "show", "L2"]);
  expect(missing).toMatchObject({ exit: 3, out: "", err });
});

test("add_history_entry runs unchanged from a program that gives no id", async () => {
  await using coop = await pythonStory();
  const example = `
from tools.coop import add_history_entry
add_history_entry(scope='cwkPippa', slug='2026-05-17-pippa-quest-evolve-v2', title='Evolve pippa-quest v2',
                  body='''two foundational shifts since v1 …''', commit_sha=None)
`;
  for (const _ of ["the first time", "again"])
    expect(await coop.script(example)).toMatchObject({ exit: 0, out: "", err: "" });

  expect(await coop.data(["history", "list", "--all-scopes"])).toMatchObject([
    {
      ref: "H1",
      author: "python",
      scope: "cwkPippa",
      slug: "2026-05-17-pippa-quest-evolve-v2",
      title: "Evolve pippa-quest v2",
      body: "two foundational shifts since v1 …",
      commit_sha: null,
    },
  ]);
});

test("add_history_entry speaks as as_id, else as PIPPA_COOP_ID, and with positional values too", async () => {
  await using coop = await pythonStory();
  const authors = await coop.told(
    `
import json
from tools.coop import add_history_entry
named = add_history_entry("project", "one", "One", "why", "abc1234", "ann")
known = add_history_entry("project", "two", "Two", "why")
print(json.dumps([named["author"], known["author"], named["commit_sha"]]))
`,
    { env: { PIPPA_COOP_ID: "bob" } },
  );
  expect(authors).toEqual(["ann", "bob", "abc1234"]);
});

test("other functions leave it to coop to ask who speaks", async () => {
  await using coop = await pythonStory();
  const failed = await coop.script(`from tools.coop import letter_read; letter_read()`);
  expect(failed.exit).toBe(1);
  expect(failed.err).toContain("UsageError: who speaks? no id was given; put --as ID first");
});

const ODD_TEXTS = `
import json
from tools import coop
texts = ["", "-", "--help", "- 목록", "락스트림\\r\\n'작은' \\"큰\\" $HOME \`x\` \\\\n\\t\\n\\n", "e\\u0301 🙂 \\u200b", "가" * 349_526]
kept = [coop.letter_write("제목 '\\"$(x)", body=text, as_id="안나", scope="락")["ref"] for text in texts]
assert len(texts[-1].encode()) > 1 << 20
shown = [coop.letter_show(ref) for ref in kept]
assert [each["body"] for each in shown] == texts
assert {(each["title"], each["author"], each["scope"]) for each in shown} == {("제목 '\\"$(x)", "안나", "락")}
for title in ["-x", "--", "--help", "a\\nb", "="]:
    assert coop.todo_add(title, as_id="안나")["title"] == title
print(json.dumps(kept))
`;

const LOCALES: Record<string, string>[] = [
  {},
  { LC_ALL: "C", PYTHONUTF8: "0", PYTHONCOERCECLOCALE: "0" },
  { PYTHONIOENCODING: "latin-1" },
];

test.each(LOCALES)("texts come back as they were given, whatever the locale: %j", async (env) => {
  await using coop = await pythonStory();
  await Bun.write(join(coop.folder, "odd.py"), ODD_TEXTS);
  const { exit, err, json } = await coop.run(["-m", "odd"], { program: PYTHON, env });
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  const last = json().at(-1);
  expect((await coop.run(["letter", "show", last, "--raw"])).bytes).toEqual(
    Buffer.from("가".repeat(349_526)),
  );
});

test("two long texts of one command both arrive, and leave no file behind", async () => {
  await using coop = await pythonStory();
  const temporary = join(coop.home, "tmp");
  await mkdir(temporary);
  const done = await coop.told(
    `
import json
from tools import coop
coop.queue_push("jobs", '{"수":1}', as_id="ann")
[item] = coop.queue_take("jobs", as_id="ann")
coop.queue_done(item["ref"], reply="답\\n" * 100_000, body="-\\r\\n", as_id="ann")
item = coop.queue_show(item["ref"])
print(json.dumps([item["payload"], item["replies"][0]["body"] == "답\\n" * 100_000, item["note"]]))
`,
    { env: { TMPDIR: temporary } },
  );
  expect(done).toEqual(['{"수":1}', true, "-\r\n"]);
  expect(await readdir(temporary)).toEqual([]);
});

const FAILURES = `
import json, os
from tools import coop
def failure(function, *words, **flags):
    try:
        return function(*words, **flags)
    except coop.CoopError as error:
        return [type(error).__name__, error.exit_code, error.code, error.reason, error.ref]
def message_of(function, *words, **flags):
    try:
        return function(*words, **flags)
    except coop.CoopError as error:
        return error.message
`;

test("a failure is raised by its exit, and says what coop says", async () => {
  await using coop = await pythonStory();
  const told = await coop.told(`${FAILURES}
coop.letter_write("one", body="", as_id="ann")
coop.letter_ack("L1", as_id="ann")
try:
    coop.letter_start("L1", as_id="bob")
except coop.Conflict as conflict:
    print(json.dumps({
        "conflict": vars(conflict),
        "text": str(conflict),
        "usage": failure(coop.letter_list, status="raed"),
        "not_found": failure(coop.todo_show, 7),
        "other_version": failure(coop.letter_reopen, "L1", if_version=1, as_id="ann"),
        "empty": failure(coop.queue_take, as_id="ann"),
        "unavailable": failure(coop.who, db="/nowhere/coop.db"),
        "too_long": failure(coop.queue_push, "x" * 200_000, "p", as_id="ann"),
        "both": message_of(coop.queue_push, "jobs", "p", jsonl='{"payload":1}', as_id="ann"),
    }))
`);
  expect(told.conflict).toMatchObject({
    exit_code: 4,
    code: "conflict",
    reason: "state",
    ref: "L1",
    current: { state: "done", by: "ann" },
  });
  expect(told.text).toBe(`${told.conflict.message}; ${told.conflict.hint}`);
  expect(told.usage).toEqual(["UsageError", 2, "usage", null, null]);
  expect(told.not_found).toEqual(["NotFound", 3, "not_found", null, "T7"]);
  expect(told.other_version).toEqual(["Conflict", 4, "conflict", "version", "L1"]);
  expect(told.empty).toEqual([]);
  expect(told.too_long).toEqual(["UsageError", 2, "usage", null, null]);
  expect(told.both).toBe("--jsonl goes without PAYLOAD");
  expect(told.unavailable).toEqual(["Unavailable", 6, "unavailable", "no_store", null]);
});

test("a store that is locked is Busy after the wait", async () => {
  await using coop = await pythonStory();
  using other = new Database(coop.store);
  other.run("begin immediate");
  const told = await coop.told(`${FAILURES}
print(json.dumps(failure(coop.letter_write, body="", as_id="ann", wait=0.2)))
`);
  expect(told).toEqual(["Busy", 7, "busy", null, null]);
});

test.each([
  ["exit 8", ["OutcomeUnknown", 8, "unknown", null, null]],
  ["kill -9 $$", ["OutcomeUnknown", -9, "unknown", null, null]],
  ["exit 0", ["OutcomeUnknown", 0, "unknown", null, null]],
  ["echo oh >&2; exit 1", ["Failed", 1, "failed", null, null]],
  ["cat >&2; exit 5", ["Empty", 5, "empty", null, null]],
])("a coop that ends with `%s` is no success", async (shell, expected) => {
  await using coop = await pythonStory();
  const broken = join(coop.home, "broken");
  await program(broken, shell);
  const script = `${FAILURES}
print(json.dumps(failure(coop.letter_write, body="x" * 1_000_000, as_id="ann")))
`;
  expect(await coop.told(script, { env: { COOP_BIN: broken } })).toEqual(expected);
});

test("any number of seconds from 0 to 3600 is one to wait", async () => {
  await using coop = await pythonStory();
  const told = await coop.told(`${FAILURES}
waits = [0, 0.0, 0.1 + 0.2, 2 / 3, 1e-05, 1e-300, 3599.9999, 3600]
for seconds in waits:
    coop.whoami(wait=seconds)
print(json.dumps([failure(coop.whoami, wait=each)[0] for each in [-0.5, 3600.01, 1e300, float("nan")]]))
`);
  expect(told).toEqual(["UsageError", "UsageError", "UsageError", "UsageError"]);
});

test("what coop warns of is a Python warning at the caller's line", async () => {
  await using coop = await pythonStory();
  const script = `from tools import coop
coop.letter_write(body="", as_id="claude-code-pippa")
coop.letter_write(body="", as_id="claude-code-pipa")
coop.add_history_entry(scope="x", slug="s", title="t", body="b", as_id="claude-code-pipq")
`;
  await Bun.write(join(coop.folder, "warned.py"), script);
  const { exit, err } = await coop.run(["warned.py"], { program: PYTHON });
  expect(exit).toBe(0);
  expect(err).toContain("warned.py:3: CoopWarning: 'claude-code-pipa' has never written here");
  expect(err).toContain("warned.py:4: CoopWarning: 'claude-code-pipq' has never written here");
});

test("a text that cannot be kept is an error of usage, and what is no text a TypeError", async () => {
  await using coop = await pythonStory();
  const raised = (call: string) =>
    coop.told(`
import json
from tools import coop
try:
    coop.${call}
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
`);
  expect(await raised('letter_write("t", body="\\ud800", as_id="ann")')).toEqual([
    "UsageError",
    "body: holds half a surrogate pair",
  ]);
  expect(await raised('queue_done("Q1", reply="x", body="\\udc80", as_id="ann")')).toEqual([
    "UsageError",
    "body: holds half a surrogate pair",
  ]);
  expect(await raised('todo_add("a\\0b", as_id="ann")')).toEqual([
    "UsageError",
    "a word or title may not hold U+0000",
  ]);
  for (const call of [
    'todo_add("\\ud800", as_id="ann")',
    'todo_add("a", as_id="\\udfff")',
    'todo_add("a", as_id="ann", scope="\\ud800")',
    'todo_add("a", as_id="ann", key="\\ud800")',
    'todo_list(from_=["ann", "\\ud800"])',
    'todo_show("\\ud800")',
    'whoami(db="/\\ud800")',
  ])
    expect(await raised(call)).toEqual([
      "UsageError",
      "a word or title holds half a surrogate pair",
    ]);
  expect(await raised('queue_push("q", {"a": 1}, as_id="ann")')).toEqual([
    "TypeError",
    "payload is text, not dict: json.dumps makes text of it",
  ]);
  expect(await raised('queue_push("q", b"a", as_id="ann")')).toEqual([
    "TypeError",
    "payload is text, not bytes",
  ]);
  expect(await raised('queue_push("q", jsonl=[{"payload": 1}], as_id="ann")')).toEqual([
    "TypeError",
    "jsonl is text, not list: '\\n'.join(map(json.dumps, lines)) makes text of it",
  ]);
});

test("an argument of the program's own is kept whatever the locale, as a title and as a body", async () => {
  await using coop = await pythonStory();
  const said = await coop.run(
    [
      "-c",
      `import sys; from tools.coop import *; todo_add(sys.argv[1], body=sys.argv[1], as_id="ann")`,
      "쓰기",
    ],
    { program: PYTHON, env: { LC_ALL: "C", PYTHONUTF8: "0", PYTHONCOERCECLOCALE: "0" } },
  );
  expect(said).toMatchObject({ exit: 0, err: "" });
  expect(await coop.data(["todo", "show", "T1"])).toMatchObject({ title: "쓰기", body: "쓰기" });
});

test("help of the package has its exceptions and what an answer tells, and * brings nothing else along", async () => {
  await using coop = await pythonStory();
  const { out } = await coop.script(`
import pydoc
from pathlib import Path
from tools.coop import *
import tools.coop
print(Path("/x"), pydoc.plain(pydoc.render_doc(tools.coop)))
`);
  for (const part of ["/x ", "class Conflict(", "class OutcomeUnknown(", "truncated = False"])
    expect(out).toContain(part);
});

test("what is no text and no number is a TypeError, and a filter of nothing is not one of all", async () => {
  await using coop = await pythonStory();
  const told = await coop.told(`
import datetime, json
from tools import coop
def raised(call):
    try:
        call()
    except Exception as error:
        return [type(error).__name__, str(error)]
add = lambda *words, **flags: coop.todo_add(*words, **{"as_id": "ann", **flags})
tried = [
    raised(lambda: add(b"abc")),
    raised(lambda: add({"a": 1})),
    raised(lambda: add("t", as_id=b"bob")),
    raised(lambda: add("t", priority=True)),
    raised(lambda: add("t", to=False)),
    raised(lambda: add(False)),
    raised(lambda: add("t", body=False)),
    raised(lambda: coop.queue_push(b"jobs", "p", as_id="ann")),
    raised(lambda: coop.queue_push("jobs", "p", to=b"ab", as_id="ann")),
    raised(lambda: coop.queue_push("jobs", "p", to=[None], as_id="ann")),
    raised(lambda: coop.queue_push("jobs", "p", to=[], as_id="ann")),
    raised(lambda: coop.todo_list(since=datetime.datetime.now())),
    raised(lambda: coop.todo_list(from_=[])),
]
one = add("one", after=[])
print(json.dumps([tried, one["after"], coop.who()["ids"][0]["id"]]))
`);
  const wrong = (name: string, type: string) => [
    "TypeError",
    `${name} is text or a number, not ${type}`,
  ];
  expect(told).toEqual([
    [
      wrong("title", "bytes"),
      wrong("title", "dict"),
      wrong("as_id", "bytes"),
      wrong("priority", "bool"),
      wrong("to", "bool"),
      wrong("title", "bool"),
      ["TypeError", "body is text, not bool: json.dumps makes text of it"],
      wrong("queue", "bytes"),
      wrong("to", "bytes"),
      wrong("to", "NoneType"),
      ["UsageError", "to: is a list of nothing"],
      wrong("since", "datetime"),
      ["UsageError", "from_: is a list of nothing"],
    ],
    [],
    "ann",
  ]);
});

test("members of an Enum are the text or the number that they are", async () => {
  await using coop = await pythonStory();
  const told = await coop.told(`
import enum, json
from tools import coop
class Queue(str, enum.Enum):
    JOBS = "jobs"
class Urgency(enum.IntEnum):
    HIGH = 1
item = coop.queue_push(Queue.JOBS, Queue.JOBS, to=[Queue.JOBS], priority=Urgency.HIGH, as_id="ann")
print(json.dumps([item["queue"], item["payload"], item["to"], item["priority"]]))
`);
  expect(told).toEqual(["jobs", "jobs", "jobs", 1]);
});

test("a warning that is raised as an error has the answer, and its code", async () => {
  await using coop = await pythonStory();
  const told = await coop.told(`
import json, warnings
from tools import coop
coop.queue_push("jobs", "p", as_id="ann")
warnings.simplefilter("error")
try:
    coop.queue_take("jobs", as_id="worker")
except coop.CoopWarning as warning:
    first = [warning.code, warning.answer[0]["ref"]]
try:
    coop.queue_take("jbs", as_id="worker")
except coop.CoopWarning as warning:
    print(json.dumps([first, [warning.code, warning.answer]]))
`);
  expect(told).toEqual([
    ["unknown_id", "Q1"],
    ["unknown_queue", []],
  ]);
});

test("an answer tells what coop warns of each time, also one of nothing, and so does an error", async () => {
  await using coop = await pythonStory();
  const told = await coop.told(`
import json, warnings
from tools import coop
warnings.simplefilter("ignore")
coop.queue_push("jobs", "p", as_id="ann")
fine = coop.queue_push("jobs", "p", as_id="ann").warnings
codes = lambda told: [each["code"] for each in told]
pushed = [codes(coop.queue_push("jbs", "p", to="bob", as_id="ann").warnings) for _ in range(2)]
taken = codes(coop.queue_take("nothing-here", as_id="ann").warnings)
try:
    coop.todo_done("T9", as_id="carl")
except coop.NotFound as error:
    print(json.dumps([fine, pushed, taken, codes(error.warnings)]))
`);
  expect(told).toEqual([
    [],
    [["unknown_queue", "unknown_id"], ["unknown_id"]],
    ["unknown_queue"],
    ["unknown_id"],
  ]);
});

test("a coop that only runs the package again is named, instead of that it goes on for ever", async () => {
  await using coop = await pythonStory();
  for (const how of ["exec", "", "timeout 60"]) {
    await program(join(coop.folder, "coop"), `${how} '${PYTHON}' -m tools.coop "$@"`);
    const told = await coop.told(
      `
import json
from tools import coop
try:
    coop.todo_add("x", as_id="ann")
except coop.CoopNotFound as error:
    print(json.dumps(error.message))
`,
      { env: { COOP_BIN: join(coop.folder, "coop") } },
    );
    expect(told).toContain("runs this package again");
    const run = await coop.run(["-m", "tools.coop", "whoami"], {
      program: PYTHON,
      env: { COOP_BIN: join(coop.folder, "coop") },
    });
    expect(run).toMatchObject({
      exit: 126,
      err: expect.stringContaining(
        "runs this package again; set COOP_BIN to the path of coop itself",
      ),
    });
  }
});

test("what is no coop, or was killed, is named with what it printed", async () => {
  await using coop = await pythonStory();
  const raised = async (script: string) => {
    const other = join(coop.folder, "other");
    await program(other, script);
    const outcome = await coop.script(
      `
import json
from tools import coop
try:
    coop.whoami()
except coop.CoopError as error:
    print(json.dumps([type(error).__name__, error.message, error.hint]))
`,
      { env: { COOP_BIN: other } },
    );
    const [type, message, hint] = JSON.parse(outcome.out);
    return { type, says: message.replace(other, "IT"), hint };
  };
  const unknown = (says: string) => ({
    type: "OutcomeUnknown",
    says,
    hint: "it may be written: repeat it with the same key, or look",
  });
  for (const printed of ["[]", "1", '{"schema":2,"data":[]}', "hello"])
    expect(await raised(`echo '${printed}'`)).toEqual(
      unknown(`IT ended with 0 and gave no answer of coop's: '${printed}'`),
    );
  expect(await raised("kill -9 $$")).toEqual(
    unknown("IT ended with -9 and gave no answer of coop's: ''"),
  );
  // So Windows ends what is killed.
  expect(await raised("exit 1")).toEqual(
    unknown("IT ended with 1 and gave no answer of coop's: ''"),
  );
  expect(await raised("echo why >&2; exit 1")).toMatchObject({ type: "Failed", says: "why" });
  const garbage = join(coop.folder, "garbage");
  await Bun.write(garbage, "garbage");
  await chmod(garbage, 0o755);
  const run = await coop.run(["-m", "tools.coop", "whoami"], {
    program: PYTHON,
    env: { COOP_BIN: garbage },
  });
  expect(run).toMatchObject({
    exit: 126,
    err: expect.stringContaining(`${garbage} cannot be run`),
  });
});

test("a list says how many there are and whether it was cut; a repeat that it is one", async () => {
  await using coop = await pythonStory();
  const told = await coop.told(`
import json
from tools import coop
first = coop.todo_add("one", key="once", as_id="ann")
again = coop.todo_add("one", key="once", as_id="ann")
coop.todo_add("two", as_id="ann")
shown = coop.todo_list(limit=1)
print(json.dumps([first.replayed, again.replayed, again == first, shown.total, shown.total_exact, shown.truncated, shown.finished, shown.elsewhere, len(shown)]))
`);
  expect(told).toEqual([false, true, true, 2, true, true, 0, null, 1]);
});

test("a list says what it has not counted, and what is in other projects", async () => {
  await using coop = await pythonStory();
  const told = await coop.told(`
import json, os
from tools import coop
coop.queue_push("jobs", jsonl='{"payload":1}\\n' * 10001, as_id="ann")
items = coop.queue_list(limit=1)
coop.todo_add("here", to="ann", scope="quest", as_id="ann")
coop.todo_add("there", to="ann", scope="other", as_id="ann")
os.environ["PIPPA_COOP_SCOPE"] = "quest"
todos = coop.todo_list(mine=True, as_id="ann")
print(json.dumps([items.total, items.total_exact, todos.total, todos.total_exact, todos.elsewhere]))
`);
  expect(told).toEqual([10_000, false, 1, true, 1]);
});

test("programs that ignore what becomes of their children, and that name stores by paths, get the same", async () => {
  await using coop = await pythonStory({ init: false });
  const told = await coop.told(`
import json, os, pathlib, signal
from tools import coop
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
db = pathlib.Path(${JSON.stringify(join(coop.folder, "named.db"))})
coop.init(db=db)
taken = coop.queue_take("jobs", as_id="ann", db=db)
try: coop.todo_start("T9", as_id="ann", db=db)
except coop.CoopError as error: missing = [type(error).__name__, error.exit_code]
bad = pathlib.Path("bad")
bad.write_text("no program")
bad.chmod(0o755)
os.environ["COOP_BIN"] = str(bad.absolute())
try: coop.whoami(db=db)
except coop.CoopError as error: broken = [type(error).__name__, error.code]
print(json.dumps([taken, missing, broken]))
`);
  expect(told).toEqual([[], ["NotFound", 3], ["CoopNotFound", "not_installed"]]);
});

test("coop is the one that COOP_BIN names, else the one on PATH, else the one in the package's folder", async () => {
  await using coop = await pythonStory();
  const bin = join(coop.home, "other");
  await mkdir(bin);
  const places = {
    COOP_BIN: join(coop.home, "named"),
    PATH: join(bin, "coop"),
    beside: join(coop.tools, "coop"),
  };
  for (const [place, path] of Object.entries(places)) await program(path, `echo ${place}`);
  const main = async (env: Record<string, string>) =>
    (await coop.run(["-m", "tools.coop"], { program: PYTHON, env })).out;

  expect(await main({ PATH: `${bin}:/bin`, COOP_BIN: places.COOP_BIN })).toBe("COOP_BIN\n");
  expect(await main({ PATH: `${bin}:/bin`, COOP_BIN: "" })).toBe("PATH\n");
  expect(await main({ PATH: "/bin" })).toBe("beside\n");
});

test("without coop the package says where it looked", async () => {
  await using coop = await pythonStory();
  const nowhere = { PATH: join(coop.home, "nowhere") };
  const { exit, out, err } = await coop.run(["-m", "tools.coop", "who"], {
    program: PYTHON,
    env: nowhere,
  });
  expect({ exit, out }).toEqual({ exit: 127, out: "" });
  for (const place of ["COOP_BIN", "PATH", coop.tools]) expect(err).toContain(place);
  expect(err.trim().split("\n")).toHaveLength(1);

  await coop.script(`import zipapp; zipapp.create_archive(".", "app.pyz", main="tools.coop:who",
    filter=lambda path: path.parts[0] == "tools")`);
  const zipped = await coop.run(["app.pyz"], { program: PYTHON, env: nowhere });
  expect(zipped.err).toEndWith("set COOP_BIN to its path, or put it on PATH\n");

  const wrong = { COOP_BIN: "/nowhere/coop" };
  const raised = await coop.script(`from tools.coop import who; who()`, { env: wrong });
  expect(raised.err).toContain("CoopNotFound: COOP_BIN is '/nowhere/coop', which is no program");
});

const FILES = ["__init__.py", "__main__.py", "_call.py", "py.typed"];

test("shim needs no store, makes the folders, and says in each file who wrote it", async () => {
  await using coop = await story({ init: false });
  const written = await coop.data(["shim", "python", "--dir", "some/tools/coop"]);
  const dir = join(coop.folder, "some/tools/coop");
  expect(written).toEqual({ dir, written: FILES, unchanged: [], version });
  expect(await readdir(coop.home)).toEqual([]);
  expect(await readdir(join(coop.folder, "some/tools"))).toEqual(["coop"]);
  expect((await readdir(dir)).sort()).toEqual(FILES);
  for (const name of FILES) {
    const [first] = (await Bun.file(join(dir, name)).text()).split("\n");
    expect(first).toStartWith(`# Written by \`coop shim python\`, coop ${version}. `);
  }
});

test("shim warns of a folder that Python cannot import, and names what is no folder", async () => {
  await using coop = await story({ init: false });
  for (const name of ["my-coop", "class"])
    expect(await coop.run(["shim", "python", "--dir", `tools/${name}`])).toMatchObject({
      exit: 0,
      err: `coop: warning: Python cannot import '${name}': name the folder with letters, digits and _ alone, and by no word of the language\n`,
    });
  expect((await coop.run(["shim", "python", "--dir", "tools/내_coop2"])).err).toBe("");
  await symlink("/nowhere/nas", join(coop.folder, "tools/unmounted"));
  expect((await coop.run(["shim", "python", "--dir", "tools/unmounted"])).exit).toBe(6);
  const file = join(coop.folder, "tools/my-coop/py.typed");
  for (const dir of [file, join(file, "coop"), "/dev/null/coop"])
    expect(await coop.run(["shim", "python", "--dir", dir])).toMatchObject({
      exit: 2,
      err: `coop: ${dir} is a file, or goes through one; name a folder with --dir\n`,
    });
});

test("shim again changes nothing, and brings what was edited or is older up to date", async () => {
  await using coop = await story({ init: false });
  const shim = () => coop.data(["shim", "python", "--dir", coop.folder]);
  await shim();
  expect(await shim()).toMatchObject({ written: [], unchanged: FILES });

  const init = join(coop.folder, "__init__.py");
  const text = await Bun.file(init).text();
  await Bun.write(init, "# Written by `coop shim python`, coop 0.0.1. …\nolder = True\n");
  expect(await shim()).toMatchObject({ written: ["__init__.py"], unchanged: FILES.slice(1) });
  expect(await Bun.file(init).text()).toBe(text);
  await Bun.write(init, text.replace(version, "99.0.0"));
  const older = await coop.run(["shim", "python", "--dir", coop.folder]);
  expect(older.err).toContain("was written by coop 99.0.0, and is now by");
  expect((await readdir(coop.folder)).sort()).toEqual(FILES);
});

test("shim writes nothing at all where a file of somebody else is in its way", async () => {
  await using coop = await story({ init: false });
  const path = join(coop.folder, "_call.py");
  const shim = ["shim", "python", "--dir", "."];
  const refused = { exit: 2, out: "", err: expect.stringContaining(`did not write ${path},`) };

  await Bun.write(path, "mine = True\n");
  expect(await coop.run(shim)).toMatchObject(refused);
  expect(await Bun.file(path).text()).toBe("mine = True\n");
  await Bun.write(path, "");
  expect(await coop.run(shim)).toMatchObject(refused);
  await Bun.file(path).delete();
  await symlink("/dev/null", path);
  expect(await coop.run(shim)).toMatchObject(refused);
  expect(await readdir(coop.folder)).toEqual(["_call.py"]);

  // That one is anybody's.
  await Bun.file(path).delete();
  await Bun.write(join(coop.folder, "py.typed"), "");
  expect(await coop.data(shim)).toMatchObject({
    written: FILES.filter((name) => name !== "py.typed"),
    unchanged: ["py.typed"],
  });
  expect(await Bun.file(join(coop.folder, "py.typed")).text()).toBe("");

  expect(await coop.run(["shim", "python"])).toMatchObject({ exit: 2, out: "" });
  expect(await coop.run(["shim", "python", "--dir="])).toMatchObject({ exit: 2, out: "" });
});

test("every function of the package works and gives what it is declared to give", async () => {
  await using coop = await pythonStory();
  const every = await Bun.file(join(import.meta.dir, "every_verb.py")).text();
  const called: string[] = await coop.told(every);
  expect(called.sort()).toEqual(Object.keys(await signatures(coop)).sort());
});

/** How a function can be called; names in alphabetical order, but for the words. */
interface Signature {
  words: string[];
  flags: string[];
  required: string[];
}

/** The functions of the package that was written. */
const signatures = (coop: PythonStory): Promise<Record<string, Signature>> =>
  coop.told(`
import inspect, json
from tools import coop
def signature(function):
    parameters = inspect.signature(function).parameters.values()
    return {
        "words": [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD],
        "flags": sorted(each.name for each in parameters if each.kind is each.KEYWORD_ONLY),
        "required": sorted(each.name for each in parameters if each.default is each.empty),
    }
functions = inspect.getmembers(coop, inspect.isfunction)
print(json.dumps({name: signature(each) for name, each in functions if each.__module__ == "tools.coop"}))
`);

/** For people at a terminal. */
const NO_FUNCTION = ["help", "shim"];
const NO_PARAMETER = ["json", "quiet", "noColor", "help", "version", "raw"];
const NAMES: Record<string, string> = { as: "as_id", from: "from_" };

const parameter = (key: string) => NAMES[key] ?? flagName(key).replaceAll("-", "_");

function signatureOf(verb: Verb): Signature {
  const all: Args = { ...GLOBALS, ...verb.args };
  const args = Object.entries(all).filter(([key]) => !NO_PARAMETER.includes(key));
  const isWord = ([, arg]: [string, Arg]) => arg.type === "positional";
  const names = (some: typeof args) => some.map(([key]) => parameter(key));
  return {
    words: names(args.filter(isWord)),
    flags: names(args.filter((each) => !isWord(each))).sort(),
    required: names(args.filter(([, arg]) => arg.required)).sort(),
  };
}

test("every verb has a function with all of its words and flags, and no function has others", async () => {
  const expected: Record<string, Signature> = {};
  for (const [name, load] of Object.entries(root.commands)) {
    if (NO_FUNCTION.includes(name)) continue;
    const command = (await load()).default;
    if (command.kind === "verb") expected[name] = signatureOf(command);
    else
      for (const [word, loadVerb] of Object.entries(command.commands))
        expected[`${name}_${word}`] = signatureOf((await loadVerb()).default as Verb);
  }
  // The commit is its last word, and the first one when the entry is left out.
  expected["history_commit"]!.required = [];

  await using coop = await pythonStory();
  const { add_history_entry, ...functions } = await signatures(coop);
  expect(functions).toEqual(expected);
  expect(add_history_entry!.words).toEqual([
    "scope",
    "slug",
    "title",
    "body",
    "commit_sha",
    "as_id",
  ]);
});
