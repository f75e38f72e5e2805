import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GLOBALS } from "../../src/cli/args";
import { ACTS, canonical, type Group } from "../../src/cli/define";
import { check, checkInput } from "../../src/cli/input";
import { distance } from "../../src/nearest";
import { route } from "../../src/cli/route";
import root from "../../src/root";
import type { Store } from "../../src/store/open";
import { COOP } from "../binary";
import { engines, eventsOf } from "../engines";
import { inside, insideFresh, type Inside } from "../inside";
import { story, type Outcome, type Story } from "../story";
import { everyGroup, everyVerb, examplesOf, flagForms } from "../tree";

const verbs = await everyVerb();
const groups = await everyGroup();

describe("a command line that is wrong", () => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  beforeAll(async () => ({ store, coop, close } = await insideFresh(engines[0]!.openFresh)));
  afterAll(async () => {
    expect(await eventsOf(store)).toEqual([]);
    await close();
  });

  /** Holds a command line to exit 2, nothing on stdout, and one line that says this. */
  async function refuses(words: readonly string[], ...says: string[]): Promise<void> {
    const { exit, out, err } = await coop.run(words);
    const told = says.every((part) => err.includes(part));
    if (exit !== 2 || out !== "" || !told || !/^(coop: |{)[^\n]+\n$/.test(err)) {
      throw new Error(
        `coop ${words.join(" ")}: exit ${exit}, not 2 saying ${says.join(", ")}\n${out}${err}`,
      );
    }
  }

  for (const { words, verb } of verbs) {
    const name = words.join(" ");
    const forms = flagForms(verb);
    const known = new Set(forms.map((form) => form.name));

    test(`${name}: a flag with one letter dropped names the right one`, async () => {
      for (const form of forms.filter((each) => each.name.startsWith("--"))) {
        for (let at = 2; at < form.name.length; at++) {
          const misspelt = form.name.slice(0, at) + form.name.slice(at + 1);
          const near = [...known].filter((flag) => distance(flag, misspelt) <= 1);
          if (near.length > 1 || misspelt === "--") continue;
          await refuses([...words, misspelt, "x"], misspelt, `did you mean ${form.name}?`);
          await refuses([...words, `${misspelt}=x`], `did you mean ${form.name}?`);
        }
      }
    });

    test(`${name}: a flag with other hyphens or capitals names the right one`, async () => {
      const key = (flag: string) => flag.replace(/(?<=[a-z])-([a-z])/g, (_, l) => l.toUpperCase());
      for (const { name: flag } of forms.filter((each) => each.name.startsWith("--"))) {
        const odd = [`${flag}-`, flag.replace(/(?<=[a-z])-/, "--"), flag.toUpperCase(), key(flag)];
        for (const misspelt of odd.filter((each) => each !== flag))
          await refuses([...words, misspelt, "x"], `has no flag ${misspelt}`, "did you mean --");
      }
    });

    test(`${name}: a flag given twice is named`, async () => {
      for (const { name: flag, takesValue, list } of forms) {
        const once = takesValue ? [flag, "x"] : [flag];
        await refuses(
          [...words, ...once, ...once],
          flag,
          list ? "names 'x' twice" : "is given twice",
        );
      }
    });

    test(`${name}: a flag without its value is named, and so is one with a value too much`, async () => {
      for (const { name: flag, takesValue } of forms) {
        if (takesValue) {
          await refuses([...words, flag], `${flag} needs a value`);
          await refuses([...words, flag, "--quiet"], `${flag} needs a value`, "'--quiet'");
          await refuses([...words, flag, "-n"], `${flag} needs a value`, "'-n'");
        } else if (flag.startsWith("--")) {
          await refuses([...words, `${flag}=yes`], `${flag} takes no value`);
        }
      }
    });

    test(`${name}: a word too much is named`, async () => {
      const places = Object.values(verb.args).filter(({ type }) => type === "positional");
      const extra = [...places.map((_, index) => `word${index}`), "surplus"];
      await refuses([...words, ...extra], "'surplus' is a word too much");
    });

    test(`${name}: what is required and not there is named`, async () => {
      const required = Object.values(verb.args).filter((arg) => arg.required);
      if (required.length > 0) await refuses(words, `\`coop ${name}\` needs`, "for example: ");
    });

    if ("allScopes" in verb.args)
      test(`${name}: one scope and all of them exclude each other`, () =>
        refuses([...words, "--all-scopes", "--scope", "web"], "exclude each other"));

    test(`${name}: every error with --json is one document on stderr and nothing on stdout`, async () => {
      for (const wrong of [
        ["--bdoy", "x"],
        ["--db"],
        ["--wait", "long"],
        ["a", "b", "c", "d", "e"],
      ]) {
        const { exit, out, err } = await coop.run([...words, "--json", ...wrong]);
        expect({ exit, out }).toEqual({ exit: 2, out: "" });
        expect(err).toEndWith("}\n");
        expect(JSON.parse(err)).toMatchObject({
          schema: 1,
          error: { code: "usage", message: expect.any(String) },
        });
      }
    });
  }

  for (const { words, group } of groups) {
    const name = ["coop", ...words].join(" ");

    test(`${name}: a verb with its last letter dropped names the right one`, async () => {
      for (const word of Object.keys(group.commands)) {
        const misspelt = word.slice(0, -1);
        if (canonical(group, misspelt) !== undefined) continue;
        await refuses(
          [...words, misspelt],
          `no \`${name} ${misspelt}\``,
          `did you mean \`${name} ${word}\``,
        );
      }
    });

    test(`${name}: no verb is found that only JavaScript knows`, async () => {
      for (const word of ["toString", "constructor", "__proto__", "hasOwnProperty", "valueOf"])
        await refuses([...words, word], `no \`${name} ${word}\``);
    });

    test(`${name}: a global flag is refused as a verb's own is`, async () => {
      await refuses([...words, "--jsno"], "did you mean --json?");
      await refuses([...words, "--as"], "--as needs a value");
      await refuses([...words, "--json", "--json"], "--json is given twice");
    });
  }

  test("a flag of the verb before the verb is refused with what to do", () =>
    refuses(["letter", "--body", "x", "write"], "no flag --body", "come after the verb"));

  test("a ref where a verb belongs names the command that shows it", async () => {
    await refuses(["letter", "L12"], "`coop letter show L12`");
    for (const number of ["12", "#12"]) {
      await refuses(["letter", number], "`coop letter show 12`");
      for (const words of [[], ["shim"]])
        await refuses(
          [...words, number],
          "a ref begins with its surface's letter",
          "`coop show T12`",
        );
    }
    for (const words of [["T12"], ["shim", "T12"], ["letter", "#t012"]])
      await refuses(words, "`coop show T12`");
    await refuses(["history", "T12"], "coop log T12");
    await refuses(["history", "F1"], "`coop show F1`");
    await refuses(["queue", "F1"], "`coop show F1`");
  });

  test("a ref of another surface is refused with the one that it is of", async () => {
    await refuses(["letter", "start", "T12"], "T12 is a todo, not a letter", "coop show T12");
    await refuses(["letter", "start", "#t012"], "#t012 is a todo, not a letter", "coop show T12");
    await refuses(
      ["queue", "done", "F2"],
      "F2 is a push to several, not a queue item",
      "coop show F2",
    );
    await refuses(["todo", "start", "L12"], "L12 is a letter, not a todo");
    await refuses(["letter", "start", "12x"], "'12x' is not the ref of a letter");
    await refuses(["letter", "start", "L0"], "'L0' is not the ref of a letter");
  });

  test("a value that is none is refused with the flag that it is for", async () => {
    const list = ["letter", "list"];
    for (const limit of ["-1x", "1.5", "1e3", "ten", ""])
      await refuses([...list, `--limit=${limit}`], "--limit");
    await refuses([...list, "--since", "yesterday"], "'yesterday' is not a time");
    await refuses([...list, "--status", "unraed"], "--status", "did you mean unread?");
    // What is like none of them is no slip for one.
    const { err } = await coop.run(["letter", "list", "--status", "open"]);
    expect(err).toBe(
      "coop: --status: there is no 'open'; one of unread, read, working, done, abandoned, superseded, unfinished, finished, all\n",
    );
    await refuses([...list, "--since", "now"], "--since: 'now' is not a time");
    await refuses([...list, "--limit", "9007199254740991"], "of 15 digits at most");
    await refuses([...list, "--to", ","], "an id may not be empty");
    await refuses([...list, "--scope", " "], "a scope may not be blank");
    await refuses(["todo", "drop", "T1", "-m=why"], "has no flag -m=why", "put a space: -m TEXT");
    await refuses(
      ["history", "add", "t", "--body", "b", "--commit", "HEAD"],
      "7 to 64 hexadecimal digits; `coop history commit` takes HEAD too",
    );
    for (const wait of ["long", "", "-1", "1e3", ".5", "1.", "3600.001", "9".repeat(400)])
      await refuses([...list, `--wait=${wait}`], "--wait: give seconds from 0 to 3600");
    await refuses(["letter", "ack", "L1", "--if-version", "0"], "--if-version");
    await refuses(["letter", "write", "", "--body", "x"], "a title may not be empty");
    await refuses(["letter", "write", "--body", "x", "--key", ""], "--key");
    await refuses(["letter", "write", "--body", "x", "--key", "a\nb"], "--key", "control");
    await refuses(["letter", "write", "--body", "x", "--to", "한".repeat(67)], "--to", "200 bytes");
    await refuses(["letter", "write", "t".repeat(1025), "--body", "x"], "1024 bytes");
    await refuses(["--as", "ann", "letter", "list", "--as", "ben"], "--as is given twice");
  });

  test("--raw goes without --json and --quiet", async () => {
    for (const form of ["--json", "--quiet"]) {
      const { exit, err } = await coop.run(["letter", "show", "L1", "--raw", form]);
      expect(exit).toBe(2);
      expect(err).toContain("--raw goes without --json and --quiet");
    }
  });

  test("--json and --quiet exclude each other", async () => {
    const { exit, out, err } = await coop.run(["letter", "list", "--json", "--quiet"]);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(JSON.parse(err).error.message).toBe("--json and --quiet exclude each other");
  });

  test("a writing command without an id says how to give one, and an empty variable counts as unset", async () => {
    for (const env of [{}, { PIPPA_COOP_ID: "" }] as Record<string, string>[]) {
      const { exit, err } = await coop.run(["letter", "write", "--body", "x"], { env });
      expect({ exit, err }).toEqual({
        exit: 2,
        err: "coop: who speaks? no id was given; put --as ID first, or set PIPPA_COOP_ID\n",
      });
    }
  });

  test("nobody is called me, since that stands for who speaks", async () => {
    const says = "`me` stands for the speaker: name an id";
    await refuses(["--as", "me", "letter", "list"], `--as: ${says}`);
    const { exit, err } = await coop.run(["whoami"], { env: { PIPPA_COOP_ID: "me" } });
    expect({ exit, err }).toEqual({ exit: 2, err: `coop: PIPPA_COOP_ID: ${says}\n` });
  });

  test("a verb without its surface names the surfaces that have it", async () => {
    await refuses(["read", "L1"], "did you mean `coop letter read`?");
    await refuses(["push"], "did you mean `coop letter write` or `coop request open` or");
    await refuses(["ready"], "did you mean `coop todo ready`?");
  });

  test("what cannot be had back is guessed by one wrong letter at most", async () => {
    await refuses(["redct"], "did you mean `coop redact`?");
    await refuses(["queue", "dorp"], "did you mean `coop queue drop`?");
    await refuses(["resto"], "did you mean `coop restore`?");
    await refuses(["letter", "aban"], "did you mean `coop letter abandon`?");
    for (const words of [
      ["rodoct"],
      ["rename"],
      ["remove"],
      ["find"],
      ["queue", "nope"],
      ["request", "ask?"],
    ]) {
      const { exit, err } = await coop.run(words);
      expect({ exit, err }).toEqual({ exit: 2, err: expect.stringContaining("; one of ") });
      expect(err).not.toContain("did you mean");
    }
  });

  test("what other programs call a verb names it", async () => {
    for (const [words, meant] of [
      ["todo rename T4", "todo edit"],
      ["todo delete T1", "todo drop"],
      ["todo get T1", "todo show"],
      ["todo unblock T1", "todo start"],
      ["request comment R2", "request reply"],
      ["request withdraw R2", "request cancel"],
      ["request resolve R2", "request done"],
      ["letter delete L1", "letter abandon"],
      ["queue get jobs", "queue take"],
      ["queue nack Q1", "queue release"],
      ["queue purge jobs", "queue drop"],
      ["history log", "history list"],
      ["history link H1 HEAD", "history commit"],
      ["todo depend T2 T3", "todo edit"],
      ["letter handoff", "letter write"],
      ["version", "--version"],
      ["inbox", "letter read"],
      ["letter acknowledge L1", "letter ack"],
      ["status", "who"],
      ["todo next", "todo ready"],
      ["queue next jobs", "queue take"],
      ["next", "todo ready"],
      ["done T1", "todo done"],
      ["reply R1 x", "request reply"],
    ] as const)
      await refuses(words.split(" "), `did you mean \`coop ${meant}\`?`);
    for (const word of ["search", "find", "grep"])
      await refuses(["todo", word, "x"], "nothing searches texts; `coop todo list --status all");
  });

  test("a word where a flag's value or a flag belongs names the flag", async () => {
    for (const [line, says] of [
      ["todo list open", "did you mean --status open?"],
      ["letter list unread", "did you mean --status unread?"],
      ["todo list mine", "did you mean --mine?"],
      ["todo list nobody", "did you mean --nobody?"],
      ["history list 5", "did you mean --limit 5?"],
      ["history list mine", "coop history list --help"],
      ["queue take jobs 3", "did you mean --count 3?"],
      ["todo assign T2 ann", "did you mean --to ann?"],
      ["request assign R3 ann", "did you mean --to ann?"],
      ["backup /srv", "did you mean --to /srv?"],
      ["copy a b", "coop copy --help"],
      ["todo add x --after T2 T3", "several go with commas: --after T2,T3"],
      ["todo done T2 T3", "one record a command"],
      ["todo assign T1 x;y", "did you mean --to 'x;y'?"],
      ["letter list --from ann L12", "coop letter list --help"],
      ["letter write x -", "--body - reads standard input"],
      ["letter write ann x", "into --body, and whom it is for into --to"],
      ["history add a b", "put text of several words into quotes, or into --body"],
    ] as const)
      await refuses(line.split(" "), "is a word too much for", says);
  });

  test("what other programs call a flag names it, or the verbs that have it, or all there are", async () => {
    for (const [line, says] of [
      ["todo list --assignee ann", "did you mean --to?"],
      ["request list --open", "did you mean --status?"],
      ["log --from ann", "did you mean --by?"],
      ["todo block T3 --on T4", "did you mean `coop todo edit --after`?"],
      ["todo edit T4 --to ann", "did you mean `coop todo assign --to`?"],
      ["todo edit T4 --note why", "--body replaces all of the text; a note goes with a move"],
      ["todo edit T4 --status done", "a state is changed by its own verb: `coop todo --help`"],
      ["history commit --sha HEAD", "it is a word: coop history commit SHA|HEAD"],
      ["history commit --slug s HEAD", "it is a word: coop history commit SLUG|H7"],
      ["queue take --queue jobs", "it is a word: coop queue take NAME"],
      ["queue take --name jobs", "it is a word: coop queue take NAME"],
      ["letter ack --letter L1", "it is a word: coop letter ack LETTER"],
      ["todo done --id T1", "it is a word: coop todo done TODO"],
      ["history commit H1 --sha abc1234", "it is a word: coop history commit SHA|HEAD"],
      ["todo start T1 --id ann", "one of --body, --key, --if-version"],
      [
        "todo assign T4 --reason why",
        "one of --to, --nobody, --key, --if-version: `coop todo assign --help`",
      ],
      ["todo list --after T1", "one of --status, --from, --since,"],
      ["whoami --to ann", "`coop whoami --help` lists all"],
      ["todo list -n 5", "did you mean --limit?"],
      ["todo list -o json", "did you mean --json?"],
      ["todo list -v", "one of --status,"],
      ["queue take --limit 3", "did you mean --count?"],
      ["queue push q --body x", "did you mean --payload?"],
      ["queue push q --body-file f", "did you mean --payload-file?"],
      ["queue push q --colour red", "one of --payload, --to, --priority, --re, --jsonl, --key"],
      ["letter write x --file f", "did you mean --body-file?"],
      ["letter write x -f f", "did you mean -F?"],
      ["queue push q --jsonl-file f", "did you mean --jsonl?"],
      ["queue done Q1 --message-file f", "did you mean --body-file?"],
      ["todo add x --profile p", "one of --title, --body,"],
      ["letter write x --key-file f", "did you mean --key?"],
      ["request reply R1 --file f", "did you mean --body-file?"],
    ] as const)
      await refuses(line.split(" "), "has no flag -", says);
  });

  test("a flag of a file needs its path", async () => {
    await refuses(["letter", "write", "x", "--body-file"], "needs a value; --body-file PATH");
    await refuses(["letter", "write", "x", "-F"], "-F needs a value; -F PATH");
  });

  test("a second record is told to be one too many, but not what follows a text", async () => {
    await refuses(["todo", "drop", "T1", "T2"], "'T2' is a word too much", "one record a command");
    for (const line of ["reply R1 in 2 days", "reply R1 see T12 please"])
      await refuses(["request", ...line.split(" ")], "put text of several words into quotes");
  });

  test("help on a topic takes no more words", () =>
    refuses(["help", "exits", "extra"], "'extra' is a word too much for `coop help exits`"));

  test("a text given in two ways is refused", async () => {
    const write = ["letter", "write", "--body", "x"];
    await refuses([...write, "--body-file", "f"], "the text is given twice");
    await refuses([...write, "-F", "f"], "the text is given twice");
    await refuses([...write, "--edit"], "the text is given twice");
    const ack = ["letter", "ack", "L1"];
    await refuses([...ack, "-m", "x", "-m", "y"], "-m is given twice; give it once");
    await refuses(
      [...ack, "--body", "x", "-m", "y"],
      "-m is another name of --body, which is given too; give one of them",
    );
    await refuses(
      ["todo", "add", "x", "--after", "T1", "--depends-on", "T2,T1"],
      "--depends-on names 'T1', which is named already",
    );
    await refuses(
      ["letter", "write", "a title", "--title", "another", "--body", "x"],
      "given twice",
    );
  });
});

describe("a command line that is right", () => {
  for (const { words, verb } of verbs) {
    test(`${words.join(" ")}: its examples are understood`, async () => {
      const examples = examplesOf(verb);
      expect(examples).not.toEqual([]);
      for (const example of examples) {
        const { path, given } = await route(root, example);
        expect(path).toEqual(words);
        const texts = Object.keys(verb.args).filter((key) => `${key}File` in given);
        checkInput(verb, { ...given, ...Object.fromEntries(texts.map((key) => [key, "x"])) }, path);
      }
    });
  }

  test("the near synonyms mean the surface's own verb", async () => {
    const { create, finish, begin, putBack } = ACTS;
    const refuse = ["abandon", "drop", "decline", "reject"];
    const own: Record<string, [verb: string, also: readonly string[]][]> = {
      letter: [
        ["write", create],
        ["ack", finish],
        ["start", begin],
        ["abandon", refuse],
      ],
      request: [
        ["open", create],
        ["done", finish],
        ["accept", begin],
        ["decline", refuse],
        ["cancel", ["cancel"]],
      ],
      todo: [
        ["add", create],
        ["done", finish],
        ["start", begin],
        ["drop", refuse],
        ["stop", putBack],
      ],
      history: [["add", create]],
      queue: [
        ["push", create],
        ["done", finish],
        ["take", begin],
        ["drop", refuse],
        ["release", putBack],
      ],
    };
    expect(create).toEqual(["add", "new", "create", "write", "open", "send", "push"]);
    expect(finish).toEqual(["done", "ack", "complete", "finish", "close"]);
    expect(begin).toEqual(["start", "begin", "accept", "take", "claim"]);
    expect(putBack).toEqual(["release", "requeue", "return", "stop"]);
    for (const { words, group } of groups) {
      for (const [verb, also] of own[words[0]!] ?? []) {
        for (const word of also)
          expect(`${word}: ${canonical(group as Group, word)}`).toBe(`${word}: ${verb}`);
      }
    }
  });

  test("global flags stand before, between and after the words", async () => {
    const { store, close } = await engines[0]!.openFresh();
    await using coop = await inside(store);
    const words = ["letter", "write", "a title", "--body", "a body"];
    const globals = ["--as", "ann", "--scope=web", "--json"];
    for (const at of [0, 1, 2, 3, 5]) {
      const outcome = await coop.run([...words.slice(0, at), ...globals, ...words.slice(at)]);
      expect(outcome.json().data).toMatchObject({
        author: "ann",
        scope: "web",
        title: "a title",
        body: "a body",
      });
    }
    await close();
  });

  test("an id may come from the variable, and the flag wins over it", async () => {
    const { store, close } = await engines[0]!.openFresh();
    await using coop = await inside(store);
    const env = { PIPPA_COOP_ID: "ben", PIPPA_COOP_SCOPE: "app" };
    const words = ["letter", "write", "--body", "x"];
    expect(await coop.data(words, { env })).toMatchObject({
      author: "ben",
      to: "ben",
      scope: "app",
    });
    expect(await coop.data([...words, "--scope", "web"], { env, as: "ann" })).toMatchObject({
      author: "ann",
      scope: "web",
    });
    await close();
  });

  test("seconds may have any number of decimals", async () => {
    for (const wait of ["0", "0.0001", "0.30000000000000004", "10", "0010.5", "3600", "3600.000"])
      expect(check(GLOBALS.wait.schema, wait, "--wait")).toBe(Number(wait));
  });

  test("a list is given with commas, again, or both", async () => {
    const given = async (...words: string[]) =>
      (await route(root, ["letter", "list", ...words])).given["from"];
    expect(await given("--from", "a,b")).toEqual(["a", "b"]);
    expect(await given("--from", "a", "--from=b")).toEqual(["a", "b"]);
    expect(await given("--from", "a,b", "--from", "c")).toEqual(["a", "b", "c"]);
  });

  test("-- ends the flags, and a text that begins with a dash and a space is no flag", async () => {
    const { given } = await route(root, [
      "letter",
      "write",
      "--body",
      "- one\n- two",
      "--",
      "--help",
    ]);
    expect(given).toEqual({ body: "- one\n- two", title: "--help" });
  });
});

describe("long text on the built binary", () => {
  let coop: Story;
  let folder: string;
  beforeAll(async () => {
    coop = await story();
    folder = await mkdtemp(join(tmpdir(), "coop-grammar-"));
  });
  afterAll(async () => {
    await coop[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const events = async () => (await coop.data(["log", "--limit", "0"])).events.length as number;

  /** Holds a text, given in some way, to being kept byte for byte. */
  async function keeps(text: string | Uint8Array, words: string[], stdin?: string | Uint8Array) {
    const { ref } = await coop.data(["letter", "write", ...words], {
      as: "ann",
      ...(stdin !== undefined && { stdin }),
    });
    const { bytes } = await coop.run(["letter", "show", ref, "--raw"]);
    expect(Bun.SHA256.hash(bytes, "hex")).toBe(Bun.SHA256.hash(text, "hex"));
  }

  async function refuses(says: string, run: () => Promise<Outcome>) {
    const before = await events();
    const { exit, out, err } = await run();
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toContain(says);
    expect(await events()).toBe(before);
  }

  test("a flag is no text, unless it is joined to --body with an equals sign", async () => {
    const write = (...words: string[]) => coop.run(["letter", "write", ...words], { as: "ann" });
    await refuses("--body needs a value, and '--as' looks like a flag; write --body=--as", () =>
      write("--body", "--as"),
    );
    await refuses("--body needs a value, and '-n' looks like a flag", () => write("--body", "-n"));
    await refuses("--body needs a value", () => write("--body", "--"));
    await refuses("-m needs a value, and '-x' looks like a flag; write --body=-x if", () =>
      coop.run(["letter", "abandon", "L1", "-m", "-x"], { as: "ann" }),
    );
    await refuses("write --body='--a=1;b' if it is the value", () => write("--body", "--a=1;b"));
    await refuses("-F needs a value, and '-x' looks like a flag; write --body-file=-x if", () =>
      write("-F", "-x"),
    );
    await keeps("--help", ["--body=--help"]);
    await keeps("-n", ["--body=-n"]);
  });

  test("a text that begins with a rule is no flag, and as a word it is told to stand after --", async () => {
    const text = "---\ntitle: The parser\n---\nIt is done.";
    await keeps(text, ["--body", text]);
    await keeps("-1 is the offset", ["--body", "-1 is the offset"]);
    await refuses("has no flag '-1 fix'; put -- before it if it is a word", () =>
      coop.run(["todo", "add", "-1 fix"], { as: "ann" }),
    );
    await coop.data(["todo", "add", "--", "-1 fix"], { as: "ann" });
  });

  test("an error does not say a whole document back", async () => {
    const long = `--${"x".repeat(50_000)}end`;
    for (const words of [
      ["letter", "write", "--body", long],
      ["letter", "write", long],
      ["letter", "show", long.slice(2)],
      ["todo", "add", "x", long.slice(2)],
      [long.slice(2)],
    ]) {
      const { exit, err } = await coop.run(words, { as: "ann" });
      expect(exit).toBe(2);
      expect(err.length).toBeLessThan(2100);
      expect(err).toMatch(/x … \(\d+ more\) … x/);
    }
  });

  test("a word after -- is no flag", async () => {
    const words = ["letter", "write", "--body", "x", "--", "--help"];
    expect(await coop.data(words, { as: "ann" })).toMatchObject({ title: "--help", body: "x" });
  });

  test("an empty text is a text", async () => {
    await keeps("", ["--body", ""]);
    await keeps("", ["--body="]);
    await keeps("", ["--body", "-"], "");
  });

  test("text of every kind is kept byte for byte", async () => {
    const text =
      "\ufeff한글 가\u1100\u1161 'single' \"double\" $HOME `id` \\n\r\n\ttab\u202e\u200b 👩‍👩‍👧 end\n\n";
    const file = join(folder, "text.md");
    await Bun.write(file, text);
    await keeps(text, ["--body", text]);
    await keeps(text, [`--body=${text}`]);
    await keeps(text, ["--body", "-"], text);
    await keeps(text, ["--body-file", file]);
    await keeps(text, ["-F", file]);
    await keeps(text, ["--body-file", "-"], text);
  });

  test("standard input is read from where it stands, by each command on", async () => {
    const file = join(folder, "shared.txt");
    const text = "line 1\nline 2\n".repeat(20_000);
    await Bun.write(file, `The title\n${text}`);
    const script = `{ read -r title; "$COOP" --as ann --quiet letter write "$title" --body -
      "$COOP" --as ann --quiet letter write "nothing left" --body -; } <"$0"`;
    const { out, err } = await coop.run(["-c", script, file], { program: "bash", env: { COOP } });
    expect(err).toBe("");
    const [first, second] = out.trim().split("\n");
    const { title, body } = await coop.data(["letter", "show", first!]);
    expect({ title, kept: body === text }).toEqual({ title: "The title", kept: true });
    expect(await coop.data(["letter", "show", second!])).toMatchObject({ body: "" });
  });

  test("a text comes from whatever can be read: a pipe with a name or without, a device", async () => {
    const script = `mkfifo "$0" && { printf named >"$0" & }
      "$COOP" --as ann letter write a --quiet -F "$0"
      printf piped | "$COOP" --as ann letter write b --quiet -F /dev/stdin
      "$COOP" --as ann letter write c --quiet -F /dev/null`;
    const { out, err } = await coop.run(["-c", script, join(folder, "pipe")], {
      program: "bash",
      env: { COOP },
    });
    expect(err).toBe("");
    const refs = out.trim().split("\n");
    const letters = await Promise.all(refs.map((ref) => coop.data(["letter", "show", ref])));
    expect(letters.map(({ body }) => body)).toEqual(["named", "piped", ""]);
  });

  test("a file that says it is empty is read to its end", async () => {
    const version = await Bun.file("/proc/version").text();
    await keeps(version, ["--body-file", "/proc/version"]);
    const push = ["queue", "push", "inbox", "--jsonl", "/proc/version"];
    await refuses("line 1", () => coop.run(push, { as: "ann" }));
  });

  test("U+FFFD is kept where it can be told from what was no UTF-8, and refused with a reason elsewhere", async () => {
    await keeps("a\ufffdb", ["--body", "-"], "a\ufffdb");
    if (process.platform === "linux") await keeps("a\ufffdb", ["--body", "a\ufffdb"]);
    else
      await refuses("U+FFFD", () =>
        coop.run(["letter", "write", "--body", "a\ufffdb"], { as: "ann" }),
      );
  });

  test("standard input that never ends is not waited for, unless - asks for it", async () => {
    const silent = { as: "ann" };
    await refuses("needs --body TEXT", () => coop.run(["letter", "write", "a title"], silent));
    expect((await coop.run(["letter", "list"], silent)).exit).toBe(0);
    await coop.data(["letter", "write", "--body", "x"], silent);
    await coop.data(["todo", "add", "a title"], silent);
    await coop.data(["queue", "push", "inbox"], silent);
  });

  test("4 MiB are kept, and a byte more is refused", async () => {
    const file = join(folder, "large.txt");
    const most = Buffer.alloc(4 * 1024 * 1024, "가\n");
    await Bun.write(file, most);
    await keeps(most, ["--body-file", file]);
    await keeps(most, ["--body", "-"], most);
    const more = Buffer.concat([most, Buffer.from("x")]);
    await Bun.write(file, more);
    const write = ["letter", "write", "--body-file"];
    await refuses("longer than 4 MiB", () => coop.run([...write, file], { as: "ann" }));
    await refuses("longer than 4 MiB", () => coop.run([...write, "-"], { as: "ann", stdin: more }));
    const five = Buffer.alloc(5 * 1024 * 1024, "x");
    await refuses("longer than 4 MiB", () => coop.run([...write, "-"], { as: "ann", stdin: five }));
  });

  test("what is not UTF-8 is refused, by whatever way it comes", async () => {
    const file = join(folder, "latin1.txt");
    for (const bytes of [
      [0xe9],
      [0x61, 0xff, 0x62],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xea, 0xb0],
    ]) {
      const wrong = Uint8Array.from(bytes);
      await Bun.write(file, wrong);
      const write = ["letter", "write", "--body-file"];
      await refuses("not valid UTF-8", () => coop.run([...write, file], { as: "ann" }));
      await refuses("not valid UTF-8", () =>
        coop.run([...write, "-"], { as: "ann", stdin: wrong }),
      );
    }
    // Only a shell can give bytes that are no text as an argument.
    const shell = (script: string) => coop.run(["-c", script], { program: "sh", env: { COOP } });
    for (const argument of ['--body "$X"', '--body="$X"', '--body x "$X"', '--body x --key "$X"']) {
      const script = `X=$(printf 'a\\377b'); exec "$COOP" --as ann letter write ${argument}`;
      await refuses("not valid UTF-8", () => shell(script));
    }
    await refuses("not valid UTF-8", () =>
      shell(`exec "$COOP" --as "$(printf 'a\\377b')" letter write --body x`),
    );
    for (const name of ["PIPPA_COOP_ID", "PIPPA_COOP_SCOPE"])
      await refuses(`${name} is not valid UTF-8`, () =>
        shell(`export PIPPA_COOP_ID=ann ${name}="$(printf 'a\\377b')"; exec "$COOP" todo add x`),
      );
  });

  test("the project of a folder whose path is not UTF-8 must be named", async () => {
    const shell = (words: string) =>
      coop.run(
        [
          "-c",
          `X=$(printf 'a\\377b'); mkdir -p "$X/.git"; echo x >"$X/.git/HEAD"; cd "$X"; exec "$COOP" ${words}`,
        ],
        { program: "sh", env: { COOP } },
      );
    await refuses("name the project with --scope", () => shell("--as ann todo add x"));
    await refuses("name the project with --scope", () => shell("todo list"));
    expect((await shell("--as ann --scope web todo add x")).exit).toBe(0);
  });

  test("standard input is one text, and no second one", async () => {
    const words = ["queue", "done", "Q1", "--reply", "-", "--body", "-"];
    await refuses("standard input is asked for twice; give one of the texts as a file", () =>
      coop.run(words, { as: "ann", stdin: "a text" }),
    );
  });

  test("U+0000 is refused", async () => {
    const file = join(folder, "nul.txt");
    await Bun.write(file, "a\0b");
    const write = ["letter", "write", "--body-file"];
    await refuses("U+0000", () => coop.run([...write, file], { as: "ann" }));
    await refuses("U+0000", () => coop.run([...write, "-"], { as: "ann", stdin: "a\0b" }));
  });

  test("a file that is not there, or is a folder, is refused by its name", async () => {
    const write = ["letter", "write", "--body-file"];
    for (const path of [join(folder, "absent.txt"), folder])
      await refuses(path, () => coop.run([...write, path], { as: "ann" }));
  });

  test("an error with --json is one document on stderr, wherever the flag stands", async () => {
    for (const words of [
      ["--json", "letter", "start"],
      ["letter", "--json", "start", "--nope"],
      ["letter", "start", "L999", "--as", "ann", "--json"],
      ["letter", "strat", "--json"],
      ["--json", "--db", "relative.db", "letter", "list"],
    ]) {
      const { exit, out, err } = await coop.run(words);
      expect(exit).toBeGreaterThan(0);
      expect(out).toBe("");
      expect(err.trimEnd().split("\n")).toHaveLength(1);
      expect(JSON.parse(err)).toMatchObject({ schema: 1, error: { message: expect.any(String) } });
    }
  });

  test("a reader that closed the pipe is no failure", async () => {
    const stdin = "line\n".repeat(100_000);
    const { ref } = await coop.data(["letter", "write", "--body", "-"], { as: "ann", stdin });
    for (const words of [`letter show ${ref} --raw`, `letter show ${ref}`, "--json letter list"]) {
      const script = `set -o pipefail; "$COOP" ${words} | true`;
      const { exit, err } = await coop.run(["-c", script], { program: "bash", env: { COOP } });
      expect({ words, exit, err }).toEqual({ words, exit: 0, err: "" });
    }
  });
});
