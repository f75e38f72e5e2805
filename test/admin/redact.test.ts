import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Surface } from "../../src/ref";
import { describe as describeLocation } from "../../src/store/location";
import type { Store } from "../../src/store/open";
import { raw, type Row } from "../../src/store/sql";
import { engines, eventsOf } from "../engines";
import { insideFresh, nameOf, type Inside } from "../inside";

const SECRET = `hun"ter\\2\n가`;
const STONE = /^\[redacted by dad \d{4}-\d\d-\d\d\]$/;

describe.each(engines)("redacting on $name", ({ openFresh }) => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const ann = (...words: string[]) => coop.data(words, { as: "ann" });
  const redact = (...words: string[]) => coop.data(["redact", ...words], { as: "dad" });

  const TABLES = [
    "letters",
    "requests",
    "request_messages",
    "todos",
    "history_entries",
    "queue_items",
    "replies",
    "events",
    "keys",
  ];

  /** Every row that a text stands in, in whatever way of writing it, as `table column`. */
  async function placesOf(text: string): Promise<string[]> {
    const places: string[] = [];
    for (const table of TABLES) {
      for (const row of await store.all<Row>(raw(`select * from ${table}`))) {
        for (const [column, value] of Object.entries(row)) {
          if (typeof value === "string" && unescaped(value).includes(unescaped(text)))
            places.push(`${table} ${column}`);
        }
      }
    }
    return places;
  }
  const unescaped = (text: string) =>
    text
      .replaceAll("\\uac00", "가")
      .replace(/\\+(n|")/g, (_, c) => (c === "n" ? "\n" : c))
      .replace(/\\+/g, "\\");

  /** Commands that put a text into every place of a record that people write, and the record's ref. */
  const WRITTEN: Record<Surface, { ref: string; words: (text: string) => string[][] }> = {
    letter: {
      ref: "L1",
      words: (text) => [
        ["letter", "write", `a ${text}`, "--body", `b ${text}`, "--key", "k"],
        ["letter", "read", "--key", "k"],
        ["letter", "ack", "L1", "--body", `c ${text}`, "--key", "k"],
        ["letter", "reopen", "L1", "--body", `d ${text}`],
        ["letter", "ack", "L1"],
        ["letter", "reopen", "L1"],
      ],
    },
    request: {
      ref: "R1",
      words: (text) => [
        ["request", "open", text, "--to", "ann", "--body", text, "--key", "k"],
        ["request", "reply", "R1", `so: ${text}`],
        ["request", "edit", "R1", "--title", "other", "--body", "other", "--key", "k"],
        ["request", "done", "R1", "--body", text],
      ],
    },
    todo: {
      ref: "T1",
      words: (text) => [
        ["todo", "add", text, "--body", text, "--key", "k"],
        ["todo", "block", "T1", "--body", text],
        ["todo", "edit", "T1", "--title", "other", "--body", "other"],
        ["todo", "stop", "T1"],
        ["todo", "block", "T1", "--body", text],
      ],
    },
    history: {
      ref: "H1",
      words: (text) => [
        ["history", "add", text, "--slug", "first", "--body", text, "--key", "k"],
        ["history", "edit", "H1", "--title", "other", "--key", "k"],
      ],
    },
    queue: {
      ref: "Q1",
      words: (text) => [
        ["queue", "push", "jobs", JSON.stringify({ deep: [JSON.stringify(text)] }), "--key", "k"],
        ["queue", "take", "jobs", "--key", "k"],
        ["queue", "reply", "Q1", text],
        ["queue", "done", "Q1", "--reply", text, "--note", text, "--key", "k"],
      ],
    },
  };

  describe.each(Object.keys(WRITTEN) as Surface[])("a %s", (surface) => {
    const { ref, words } = WRITTEN[surface];
    beforeEach(async () => {
      for (const each of words(SECRET)) await ann(...each);
      // Another that holds the same keeps it.
      await ann("letter", "write", "--body", `also ${SECRET}`);
    });
    // The other letter's own; no key kept an answer of it.
    const others = /^letters (body|title)$/;

    test("loses one text wherever it stands, and keeps what is around it", async () => {
      const before = (await coop.data(["show", ref])) as { version: number };
      const also = surface === "letter" ? "L2" : "L1";

      const redacted = await redact(ref, "--text", SECRET);

      expect(redacted).toMatchObject({
        ref,
        refs: [ref],
        version: before.version + 1,
        also_in: [also],
      });
      expect(await placesOf(SECRET)).toEqual(["letters body"]);
      const shown = await coop.data(["show", ref]);
      expect(shown.version).toBe(before.version + 1);
      expect(JSON.stringify(shown)).toContain("[redacted by dad ");
      if (surface === "letter") expect(shown.title).toMatch(/^a \[redacted/);
      if (surface === "queue") {
        expect(shown.payload_type).toBe("json");
        expect(JSON.parse(shown.payload).deep[0]).toMatch(/^"\[redacted by dad .*\]"$/);
      }
    });

    test("loses all that was written, without --text", async () => {
      await redact(ref);
      expect((await placesOf(SECRET)).filter((place) => !others.test(place))).toEqual([]);
      const shown = await coop.data(["show", ref]);
      const texts = ["title", "body", "payload", "note", "acknowledgement"].filter(
        (key) => shown[key],
      );
      for (const key of texts) expect(shown[key]).toMatch(STONE);
      for (const said of [...(shown.messages ?? []), ...(shown.replies ?? [])])
        expect(said.body).toMatch(STONE);
      if (surface === "queue") expect(shown.payload_type).toBe("text");
      if (surface === "history") expect(shown.slug).toBe("redacted-h1");
    });

    test("has an event that says who and when, not what; and is the same when it is done again", async () => {
      const number = Number(ref.slice(1));
      await redact(ref, "--text", SECRET);
      const events = await eventsOf(store, surface, number);
      expect(events.at(-1)).toMatchObject({
        author: "dad",
        verb: "redact",
        before: null,
        after: null,
      });

      for (const more of [
        ["--text", SECRET],
        ["--text", "nowhere at all"],
      ]) {
        const again = await redact(ref, ...more);
        expect(again.replaced).toEqual({ record: 0, events: 0, keys: 0 });
        expect(again.version).toBe(events.at(-1)!.version);
      }
      await redact(ref);
      await redact(ref);
      expect(await eventsOf(store, surface, number)).toHaveLength(events.length + 1);
    });

    test("still answers a repeat of what was done with a key, without the text", async () => {
      await redact(ref, "--text", SECRET);
      const [first] = words(SECRET);
      const { out } = await coop.run(["--json", ...first!], { as: "ann" });
      expect(JSON.parse(out)).toMatchObject({ replayed: true, data: { ref } });
      expect(unescaped(out)).not.toContain(unescaped(SECRET));
    });
  });

  test("does not break what stands in JSON, or says that it is text where it must", async () => {
    await ann("queue", "push", "jobs", '{"token":12345,"name":"12345"}');
    await redact("Q1", "--text", '"12345"');
    expect(await coop.data(["show", "Q1"])).toMatchObject({ payload_type: "text" });
    await ann("queue", "push", "jobs", String.raw`{"p":"\ud55c\uae00 \"x\""}`);
    await redact("Q2", "--text", '한글 "x"');
    const { payload, payload_type } = await coop.data(["show", "Q2"]);
    expect({ ...JSON.parse(payload), payload_type }).toEqual({
      p: expect.stringMatching(STONE),
      payload_type: "json",
    });
  });

  test.each([
    ["a slash with a backslash before it", "https://u:pw@h/x", String.raw`"https:\/\/u:pw@h\/x"`],
    ["other than ASCII in capital hexadecimals", "GÉHEIM", String.raw`"G\u00C9HEIM"`],
    ["any letter", "hunter2", String.raw`"\u0068unter2"`],
    ["JSON of ASCII in JSON of ASCII", "G\u00e9HEIM", JSON.stringify(String.raw`"G\u00e9HEIM"`)],
    ["a backslash and a line's end, twice", "a\\b\nc", JSON.stringify(JSON.stringify("a\\b\nc"))],
    ["an emoji", "key 🔑", String.raw`"key \uD83D\udd11"`],
  ])("finds a text in JSON that writes %s by an escape", async (_, text, payload) => {
    await ann("queue", "push", "jobs", payload);
    await redact("Q1", "--text", text);
    const { payload: left } = await coop.data(["show", "Q1"]);
    expect(left.replace(/\[redacted by dad .{10}\]/, "STONE").replace(/[\\"]/g, "")).toBe("STONE");
    expect(() => JSON.parse(left)).not.toThrow();
  });

  test("finds a text after very many that begin like it, with quotes in JSON in JSON", async () => {
    const text = `${'\\\\"'.repeat(30)}X`;
    const near = `${text.slice(0, -1)}Y`;
    await ann(
      "letter",
      "write",
      "--body",
      JSON.stringify([JSON.stringify(near), JSON.stringify(text)]),
    );
    await redact("L1", "--text", text);
    const { body } = await coop.data(["show", "L1"]);
    expect(body).toContain("Y");
    expect(body).not.toContain("X");
  });

  test("gives a history entry a slug that no other of its scope has", async () => {
    await ann("history", "add", "--slug", "one", "--body", SECRET);
    await ann("history", "add", "--slug", "redacted-h1", "--body", "x");
    await redact("H1");
    expect(await coop.data(["history", "show", "H1"])).toMatchObject({ slug: "redacted-h1-2" });
    expect(await placesOf("one")).toEqual([]);
  });

  test.each(["ci[bot]", "the bot [2]"])("knows the tombstones of %s", async (id) => {
    await ann("letter", "write", "a title", "--body", "one secret");
    await coop.data(["redact", "L1", "--text", "secret"], { as: id });
    const { body } = await coop.data(["show", "L1"]);
    await redact("L1", "--text", "redacted");
    expect((await coop.data(["show", "L1"])).body).toBe(body);
  });

  test("finds a text between what only looks like the two ends of a tombstone", async () => {
    await ann(
      "letter",
      "write",
      "--body",
      "[redacted by us] hunter2\n[redacted by ann 2026-11-28]",
    );
    await redact("L1", "--text", "hunter2");
    expect((await coop.data(["show", "L1"])).body).toMatch(
      /^\[redacted by us\] \[redacted by dad .{10}\]\n\[redacted by ann 2026-11-28\]$/,
    );
  });

  test("leaves its own tombstones alone, whatever is asked for", async () => {
    await ann("letter", "write", "--body", "dad redacted by dad");
    const first = await redact("L1", "--text", "dad");
    expect(first.replaced.record).toBe(1);
    const { body } = await coop.data(["show", "L1"]);
    expect((await redact("L1", "--text", "dad")).replaced.record).toBe(0);
    expect((await redact("L1", "--text", "redacted")).replaced.record).toBe(1);
    expect((await coop.data(["show", "L1"])).body.split("[redacted by dad")).toHaveLength(
      body.split("[redacted by dad").length + 1,
    );
  });

  test("names where else the same text stands, also what was edited away", async () => {
    await ann("letter", "write", "--body", SECRET);
    await ann("todo", "add", "x", "--body", SECRET);
    await ann("todo", "edit", "T1", "--body", "gone");
    await ann("request", "open", "x", "--to", "ann", "--body", "x");
    await ann("request", "reply", "R1", SECRET);
    await ann("queue", "push", "jobs", JSON.stringify(SECRET));
    expect((await redact("L1", "--text", SECRET)).also_in).toEqual(["R1", "T1", "Q1"]);
    expect((await redact("T1", "--text", SECRET)).replaced).toEqual({
      record: 0,
      events: 1,
      keys: 0,
    });
    expect((await redact("R1", "--text", SECRET)).also_in).toEqual(["Q1"]);
  });

  test("of a text that a kept answer has a part of leaves nothing of that part", async () => {
    const key = Array.from(
      { length: 60 },
      (_, n) => `${SECRET.slice(0, 6)} ${n} ${"x".repeat(80)}`,
    );
    const body = [...Array(240).fill("y".repeat(99)), ...key].join("\n");
    await coop.data(["letter", "write", "--body", "-"], { as: "ann", stdin: body });
    await ann("letter", "read", "--key", "k");
    expect(await placesOf(key[0]!)).toEqual(["letters body", "keys result"]);
    const words = ["redact", "L1", "--text", "-"];
    await coop.data(words, { as: "dad", stdin: key.join("\n") });
    for (const line of key) expect(await placesOf(line)).toEqual([]);
  });

  test("leaves nothing by which a short text could be guessed, and a key is known all the same", async () => {
    const push = ["queue", "push", "jobs", "hunter2", "--key", "k"];
    const line = '{"payload":"hunter2","key":"line"}';
    const lines = ["queue", "push", "jobs", "--jsonl", "-"];
    await ann(...push);
    await coop.data(lines, { as: "ann", stdin: line });
    const prints = async () =>
      (await store.all<{ fingerprint: string }>(raw("select fingerprint from keys"))).map(
        ({ fingerprint }) => fingerprint,
      );
    expect((await prints()).map(({ length }) => length)).toEqual([64, 64]);
    for (const ref of ["Q1", "Q2"]) expect((await redact(ref)).replaced.record).toBe(1);
    expect(await prints()).toEqual(["", ""]);
    const again = (await coop.run(["--json", ...push], { as: "ann" })).json();
    expect(again).toMatchObject({ data: { ref: "Q1" }, replayed: true });
    expect(again.warnings).toEqual([
      { code: "not_compared", message: expect.stringContaining("the key 'k' was first used with") },
    ]);
    expect(await coop.data(lines, { as: "ann", stdin: line })).toMatchObject({ refs: ["Q2"] });
    expect(await ann("queue", "list")).toHaveLength(2);
  });

  test.each([[], ["--text", "hunter2"]])(
    "leaves no hash of what was said either, whose answers do not repeat it (%p)",
    async (...text: string[]) => {
      const said = async (...words: string[]) => ann(...words, "--key", words.join(" "));
      await said("request", "open", "x", "--to", "ann", "--body", "x");
      await said("request", "reply", "R1", "hunter2");
      await said("request", "accept", "R1", "--body", "hunter2");
      await said("request", "done", "R1", "--body", "hunter2");
      await said("queue", "push", "jobs", "hunter2", "--to", "ann,ben");
      const lines = ["queue", "push", "jobs", "--jsonl", "-", "--key", "lines"];
      const stdin = '{"payload":"hunter2"}\n{"payload":"hunter2"}\n{"payload":"x"}';
      await coop.data(lines, { as: "ann", stdin });
      await said("queue", "take", "Q1");
      await said("queue", "reply", "Q1", "hunter2");
      await said("queue", "done", "Q1", "--reply", "hunter2");
      for (const ref of ["R1", "F1", "Q3", "Q4"]) await redact(ref, ...text);
      expect(
        await store.all(raw("select verb from keys where fingerprint <> '' order by verb")),
      ).toEqual([]);
    },
  );

  test("leaves a key of a line to lines, and that of a command to commands, and lines warn too", async () => {
    const push = (key: string) =>
      coop.run(["--json", "queue", "push", "jobs", "other", "--key", key], { as: "ann" });
    const pushLine = (key: string) =>
      coop.run(["--json", "queue", "push", "jobs", "--jsonl", "-"], {
        as: "ann",
        stdin: JSON.stringify({ payload: "other", key }),
      });
    await ann("queue", "push", "jobs", "hunter2", "--key", "command");
    const stdin = '{"payload":"hunter2","key":"line"}';
    await coop.data(["queue", "push", "jobs", "--jsonl", "-"], { as: "ann", stdin });
    for (const ref of ["Q1", "Q2"]) await redact(ref);
    for (const given of [await pushLine("command"), await push("line")])
      expect(given.json().error).toMatchObject({ code: "conflict", reason: "key" });
    for (const [given, key] of [
      [await push("command"), "command"],
      [await pushLine("line"), "line"],
    ] as const)
      expect(given.json()).toMatchObject({
        replayed: true,
        warnings: [
          {
            code: "not_compared",
            message: `what the key '${key}' was first used with was redacted: nobody knows whether this is the same`,
          },
        ],
      });
  });

  test("keeps the keys of what never held the text, and those of redactions", async () => {
    await ann("letter", "write", "--body", "AAA BBB");
    await ann("letter", "write", "--body", "CCC", "--supersedes", "L1", "--key", "k");
    const away = async (text: string) =>
      (await coop.run(["redact", "L1", "--text", text, "--key", "r"], { as: "dad" })).exit;
    expect(await away("AAA")).toBe(0);
    expect(await away("BBB")).toBe(4);
    const kept = raw("select author, length(fingerprint) as length from keys order by author");
    expect(await store.all(kept)).toEqual([
      { author: "ann", length: 64 },
      { author: "dad", length: 64 },
    ]);
    expect((await ann("letter", "show", "L1")).body).toMatch(/^\[redacted .*\] BBB$/);
  });

  test("of a text in a title is of the slug that was made of it", async () => {
    await ann("history", "add", "Rotate Hunter2-Pass now", "--body", "why");
    await redact("H1", "--text", "Hunter2-Pass");
    expect(await ann("history", "show", "H1")).toMatchObject({ slug: "redacted-h1" });
    await ann("history", "add", "Hunters pass", "--body", "why");
    // Not where the title had something else, which is hardly like it.
    await redact("H2", "--text", "hUnter");
    expect((await ann("history", "show", "H2")).slug).toEndWith("-hunters-pass");
    await redact("H2", "--text", "Hunter");
    expect(await ann("history", "show", "H2")).toMatchObject({ slug: "redacted-h2" });
    // Of a long title there was room for a part.
    const long = `Notes ${Array.from({ length: 25 }, (_, n) => `word${n}`).join(" ")}`;
    await ann("history", "add", `${long} correct horse battery staple`, "--body", "why");
    await ann("history", "edit", "H3", "--title", "other");
    await redact("H3", "--text", "correct horse battery staple");
    expect(await ann("history", "show", "H3")).toMatchObject({ slug: "redacted-h3" });
  });

  test("of a text finds it with the line ends of either system, and composed or not", async () => {
    const lines = "-----BEGIN KEY-----\nabc\ndef";
    const crlf = lines.replaceAll("\n", "\r\n");
    await ann("todo", "add", "x", "--body", lines);
    await ann("todo", "block", "T1", "--body", `so: ${crlf}.`);
    await ann("todo", "add", "y", "--body", crlf);
    for (const given of [crlf, lines]) {
      const { also_in } = await redact("T1", "--text", given);
      expect(also_in).toEqual(["T2"]);
      expect(await placesOf("def")).toEqual(["todos body"]);
    }
    await redact("T2", "--text", lines);
    expect(await placesOf("def")).toEqual([]);
    await ann("todo", "add", "z", "--body", "curl \\\r\n --token S3CRET-a");
    await redact("T3", "--text", "curl \\\n --token S3CRET-a");
    expect(await placesOf("S3CRET")).toEqual([]);
    const [composed, apart] = ["NFC", "NFD"].map((form) => "p\u00e4ss\nzwei".normalize(form));
    await ann("todo", "add", "u", "--body", composed!);
    await ann("todo", "add", "v", "--body", apart!.replace("\n", "\r\n"));
    expect((await redact("T4", "--text", composed!)).also_in).toEqual(["T5"]);
    await ann("letter", "write", "--body", "caf\u00e9-pw".normalize("NFD"));
    await redact("L1", "--text", "caf\u00e9-pw");
    expect(await placesOf("-pw")).toEqual([]);
  });

  test("of a push to several is of each of its items", async () => {
    await ann("queue", "push", "jobs", SECRET, "--to", "ann,ben");
    const redacted = await redact("F1");
    expect(redacted).toMatchObject({ ref: "F1", refs: ["Q1", "Q2"], version: null });
    expect(redacted).toMatchObject({ replaced: { record: 2 }, also_in: [] });
    expect(await placesOf(SECRET)).toEqual([]);
  });

  test("of one item of a push to several tells where its payload is still", async () => {
    await ann("queue", "push", "jobs", SECRET, "--to", "ann,ben,cyd");
    expect((await redact("Q1")).also_in).toEqual(["Q2", "Q3"]);
    const { out } = await coop.run(["show", "F1"]);
    expect(out.replace(/ \d+s /g, " 1s ").replace(/redacted by dad \S+]/, "redacted]")).toBe(
      [
        "F1 jobs from ann\n```\n[redacted]\n```\nQ1 waiting p2 1s jobs →ann\n",
        `\`\`\`\n${SECRET}\n\`\`\`\nQ2 waiting p2 1s jobs →ben\nQ3 waiting p2 1s jobs →cyd\n`,
      ].join(""),
    );
    expect((await redact("Q3")).also_in).toEqual(["Q2"]);
    expect((await redact("Q3")).also_in).toEqual(["Q2"]);
    expect((await redact("F1")).also_in).toEqual([]);
    expect(await placesOf(SECRET)).toEqual([]);
  });

  test("of a store that was moved is of it as of the new one, and each names the other", async () => {
    await ann("letter", "write", "--body", `so ${SECRET}`, "--key", "k");
    const young = join(coop.folder, "young.db");
    await coop.data(["init", "--db", young]);
    const old = nameOf(store);
    await coop.data(["copy", "--from", old, "--to", young]);
    const redacted = async (...more: string[]) => {
      const { exit, json } = await coop.run(["--json", "redact", "L1", "--text", SECRET, ...more], {
        as: "dad",
      });
      const { data, warnings } = json();
      const elsewhere = ({ code }: { code: string }) => code === "elsewhere";
      return { exit, ...data, elsewhere: warnings.filter(elsewhere).map(messageOf) };
    };
    const messageOf = ({ message }: { message: string }) => message;

    expect(await redacted()).toMatchObject({
      exit: 0,
      replaced: { record: 1, events: 0, keys: 1 },
      elsewhere: [
        `this store was moved to ${young}, which may still hold it: redact it there too, if it is not yet`,
      ],
    });
    expect(await placesOf(SECRET)).toEqual([]);
    expect(await redacted("--db", young)).toMatchObject({
      exit: 0,
      replaced: { record: 1, events: 0, keys: 1 },
      elsewhere: [
        `this store was copied from ${describeLocation(store.location)}, which may still hold it: redact it there too, if it is not yet`,
      ],
    });

    const refused = await coop.run(["--json", "todo", "add", "x"], { as: "ann" });
    expect([refused.exit, refused.json().error.reason]).toEqual([4, "moved"]);
  });

  test.each(["", "\n", "\r\n"])(
    "takes the text from standard input, without the newline at its end: %j",
    async (end) => {
      await ann("letter", "write", "--body", "x hunter2 y");
      const { exit } = await coop.run(["redact", "L1", "--text", "-"], {
        as: "dad",
        stdin: `hunter2${end}`,
      });
      expect(exit).toBe(0);
      expect((await coop.data(["show", "L1"])).body).toMatch(/^x \[redacted by dad .*\] y$/);
    },
  );

  test("of a record with an event that is no JSON says that the store is damaged", async () => {
    await ann("letter", "write", "--body", SECRET);
    await store.transaction((tx) => tx.all(raw("update events set after = '{bad'")));
    for (const words of [
      ["redact", "L1"],
      ["redact", "L1", "--text", SECRET],
      ["log", "L1"],
    ]) {
      const outcome = await coop.run(["--json", ...words], { as: "dad" });
      expect({ exit: outcome.exit, ...outcome.json().error }).toMatchObject({
        exit: 6,
        reason: "damaged",
      });
    }
    expect(await coop.data(["show", "L1"])).toMatchObject({ body: SECRET, version: 1 });
  });

  test("refuses what it cannot do, and changes nothing", async () => {
    await ann("letter", "write", "--body", SECRET);
    await ann("queue", "push", "jobs", "x", "--to", "ann,ben");
    const events = await eventsOf(store);
    const refusal = async (...words: string[]) => {
      const outcome = await coop.run(["--json", "redact", ...words], { as: "dad" });
      return { exit: outcome.exit, ...outcome.json().error };
    };
    expect(await refusal("L9")).toMatchObject({ exit: 3, ref: "L9" });
    expect(await refusal("F9")).toMatchObject({ exit: 3, ref: "F9" });
    expect(await refusal("letter")).toMatchObject({ exit: 2, message: "'letter' is not a ref" });
    expect(await refusal("12")).toMatchObject({ exit: 2 });
    expect(await refusal("L1", "--text", "")).toMatchObject({
      exit: 2,
      message: "--text is empty",
      hint: "give the text that is to go; nothing was changed",
    });
    expect(await refusal("L1", "--text", "x", "--text-file", "f")).toMatchObject({
      exit: 2,
      message: "the text is given twice",
      hint: "use one of --text and --text-file",
    });
    expect(await refusal("L1", "--txet", "x")).toMatchObject({ exit: 2 });
    expect(await refusal("L1", "--if-version", "7")).toMatchObject({ exit: 4, reason: "version" });
    expect(await refusal("F1", "--if-version", "1")).toMatchObject({ exit: 2 });
    expect((await coop.run(["redact", "L1"])).exit).toBe(2);
    expect(await eventsOf(store)).toEqual(events);
  });
});
