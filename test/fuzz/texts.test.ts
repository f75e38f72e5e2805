import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fenced } from "../../src/cli/text";
import { looksLikeRef } from "../../src/ref";
import { engines } from "../engines";
import { insideFresh, type Inside, type InsideOptions } from "../inside";
import { body, kind as kinds, LONGEST_MS, title, tries, UNSEEN, word } from "./hostile";

let coop: Inside;
let close: () => Promise<void>;

beforeAll(async () => ({ coop, close } = await insideFresh(engines[0]!.openFresh)));

afterAll(() => close());

/** An id of somebody; `me` is the speaker's own, and a comma parts two. Few are new, as in a real store. */
const id = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("ann", "ben", "코덱스", "\u202eeve", "--as", "Q1") },
  {
    weight: 1,
    arbitrary: word.filter((given) => given.normalize("NFC") !== "me" && !given.includes(",")),
  },
);

/** What names no record and no commit, and so may be a slug or a queue. */
const name = word.filter(
  (given) => !looksLikeRef(given.normalize("NFC")) && given.toUpperCase() !== "HEAD",
);

const nfc = (text: string) => text.normalize("NFC");

const ways = fc.constantFrom("word", "stdin", "file");

/** The words and the standard input that give a long text in one of its ways. */
async function giving(
  flag: string,
  text: string,
  way: string,
): Promise<{ words: string[]; options: InsideOptions }> {
  if (way === "file") {
    const path = join(coop.folder, "text");
    await writeFile(path, text);
    return { words: [`--${flag}-file`, path], options: {} };
  }
  // A dash alone asks for standard input, whatever text it could be.
  if (way === "stdin" || text === "-")
    return { words: [`--${flag}`, "-"], options: { stdin: text } };
  return { words: [`--${flag}=${text}`], options: {} };
}

/** What `show` shows of a text, in each of its forms. */
async function requireShown(ref: string, text: string): Promise<void> {
  expect((await coop.run(["show", ref, "--raw"])).bytes).toEqual(Buffer.from(text));
  const { out, exit } = await coop.run(["show", ref]);
  expect(exit).toBe(0);
  expect(out).not.toMatch(UNSEEN);
  if (text !== "") expect(out).toContain(`\n${fenced(text)}\n`);
}

/** Runs a command that must succeed, and gives its document. */
async function document(words: readonly string[], options?: InsideOptions) {
  const outcome = await coop.run(["--json", ...words], options);
  if (outcome.exit !== 0) throw new Error(`coop ${JSON.stringify(words)}\n${outcome.err}`);
  return outcome.json();
}

const holds = (sentence: string, usual: number, property: fc.IAsyncProperty<unknown>) =>
  test(sentence, () => fc.assert(property, tries(usual)), LONGEST_MS);

describe("what goes in comes out, byte for byte:", () => {
  holds(
    "a letter",
    120,
    fc.asyncProperty(title, body, id, id, word, ways, async (about, text, from, to, scope, way) => {
      const long = await giving("body", text, way);
      const place = [`--scope=${scope}`];
      const write = [`--as=${from}`, ...place, "letter", "write", `--title=${about}`, `--to=${to}`];
      const { data: letter } = await document([...write, ...long.words], long.options);
      expect(letter).toMatchObject({
        title: about,
        body: text,
        author: nfc(from),
        to: nfc(to),
        scope: nfc(scope),
      });
      const { ref } = letter;
      expect((await document(["letter", "show", ref])).data).toEqual(letter);
      await requireShown(ref, text);
      const { data: listed } = await document([
        ...place,
        "letter",
        "list",
        `--from=${from}`,
        `--to=${to}`,
      ]);
      expect(listed.find((each: { ref: string }) => each.ref === ref)).toEqual(letter);

      const { data: read } = await document([`--as=${to}`, ...place, "letter", "read", ref]);
      expect(read).toMatchObject([{ ref, body: text, title: about, complete: true }]);
      const said = await giving("body", text, way);
      await document([`--as=${to}`, "letter", "ack", ref, ...said.words], said.options);
      expect((await document(["show", ref])).data).toMatchObject({
        body: text,
        acknowledgement: text,
        state: "done",
      });
    }),
  );

  holds(
    "a request and all that is said about it",
    80,
    fc.asyncProperty(title, body, body, kinds, ways, async (about, text, answer, kind, way) => {
      const long = await giving("body", text, way);
      const open = [
        "--as=ann",
        "request",
        "open",
        `--title=${about}`,
        `--kind=${kind}`,
        "--to=ben",
      ];
      const { data: request } = await document([...open, ...long.words], long.options);
      expect(request).toMatchObject({ title: about, body: text, kind: nfc(kind) });
      await requireShown(request.ref, text);
      const reply = await giving("body", answer, way);
      await document(["--as=ben", "request", "reply", request.ref, ...reply.words], reply.options);
      await document(["--as=ben", "request", "done", request.ref, ...reply.words], reply.options);
      const { data: shown } = await document(["request", "show", request.ref]);
      expect(shown.messages).toMatchObject([
        { verb: "reply", body: answer },
        { verb: "done", body: answer },
      ]);
      expect((await coop.run(["request", "show", request.ref])).out).not.toMatch(UNSEEN);
    }),
  );

  holds(
    "a todo, and what it was before it was changed",
    80,
    fc.asyncProperty(title, body, title, body, ways, async (about, text, later, more, way) => {
      const long = await giving("body", text, way);
      const { data: todo } = await document(
        ["--as=ann", "todo", "add", `--title=${about}`, ...long.words],
        long.options,
      );
      expect(todo).toMatchObject({ title: about, body: text });
      await requireShown(todo.ref, text);
      const other = await giving("body", more, way);
      await document(
        ["--as=ann", "todo", "edit", todo.ref, `--title=${later}`, ...other.words],
        other.options,
      );
      expect((await document(["show", todo.ref])).data).toMatchObject({ title: later, body: more });
      const { data: log } = await document(["log", todo.ref]);
      const before = log.events.find(({ verb }: { verb: string }) => verb === "edit").before;
      expect(before).toEqual({
        ...(later !== about && { title: about }),
        ...(more !== text && { body: text }),
      });
      expect((await coop.run(["log", todo.ref])).out).not.toMatch(UNSEEN);
    }),
  );

  holds(
    "a history entry, by its slug",
    80,
    fc.asyncProperty(title, body, name, word, ways, async (about, text, slug, scope, way) => {
      const long = await giving("body", text, way);
      const place = [`--scope=${scope}`];
      const add = ["--as=ann", ...place, "history", "add", `--title=${about}`, `--slug=${slug}`];
      const { exit, json, err } = await coop.run(["--json", ...add, ...long.words], {
        ...long.options,
      });
      // Somebody else's, by chance.
      if (exit === 4) return expect(JSON.parse(err).error.reason).toBe("slug");
      const { data: entry } = json();
      expect(entry).toMatchObject({ title: about, body: text, slug: nfc(slug), scope: nfc(scope) });
      await requireShown(entry.ref, text);
      const { data: shown } = await document([...place, "history", "show", "--", slug]);
      expect(shown.ref).toBe(entry.ref);
      const again = await document([...add, ...long.words], long.options);
      expect(again.data).toMatchObject({ ref: entry.ref, created: false });
    }),
  );

  holds(
    "a queue item, its note and its replies",
    80,
    fc.asyncProperty(name, body, body, id, ways, async (queue, payload, answer, to, way) => {
      const long = await giving("payload", payload, way);
      const push = ["--as=ann", "queue", "push", `--to=${to}`, ...long.words, "--", queue];
      const { data: item } = await document(push, long.options);
      expect(item).toMatchObject({ queue: nfc(queue), payload, to: nfc(to) });
      if (item.payload_type === "json") JSON.parse(payload);
      await requireShown(item.ref, payload);
      const { data: taken } = await document([`--as=${to}`, "queue", "take", item.ref]);
      expect(taken).toMatchObject([{ ref: item.ref, payload }]);
      const reply = await giving("reply", answer, way);
      await document([`--as=${to}`, "queue", "done", item.ref, ...reply.words], reply.options);
      const { data: replies } = await document(["queue", "replies", item.ref]);
      expect(replies).toMatchObject([
        { ref: item.ref, answered: true, replies: [{ author: nfc(to), body: answer }] },
      ]);
      for (const words of [["replies", item.ref], ["list", "--status=all", "--", queue], ["stats"]])
        expect((await coop.run(["queue", ...words])).out).not.toMatch(UNSEEN);
    }),
  );

  holds(
    "items by lines of JSON, taken in their order",
    40,
    fc.asyncProperty(
      fc.array(fc.oneof(body, fc.jsonValue()), { minLength: 1, maxLength: 8 }),
      async (payloads) => {
        const stdin = payloads.map((payload) => JSON.stringify({ payload })).join("\n");
        const { data } = await document(["--as=ann", "queue", "push", "lines", "--jsonl", "-"], {
          stdin,
        });
        const { data: taken } = await document([
          "--as=ann",
          "queue",
          "take",
          "lines",
          "--count=1000",
        ]);
        expect(taken.map(({ ref }: { ref: string }) => ref)).toEqual(data.refs);
        expect(taken.map(({ payload }: { payload: string }) => payload)).toEqual(
          payloads.map((payload) =>
            typeof payload === "string" ? payload : JSON.stringify(payload),
          ),
        );
      },
    ),
  );
});

describe("a command that is repeated with its key", () => {
  holds(
    "is done once, whatever is in it",
    60,
    fc.asyncProperty(word, title, body, ways, async (key, about, text, way) => {
      const long = await giving("body", text, way);
      const unique = `${[...about].slice(0, 50).join("")} ${Bun.randomUUIDv7()}`;
      const command = ["--as=ann", "letter", "write", `--title=${unique}`, ...long.words];
      const keyed = [...command, `--key=${[...key].slice(0, 10).join("")}${Bun.randomUUIDv7()}`];
      const first = await document(keyed, long.options);
      const again = await document(keyed, long.options);
      expect(again).toMatchObject({ data: first.data, replayed: true });
      const other = await coop.run(["--json", ...keyed, "--to=ben"], long.options);
      expect(other.exit).toBe(4);
    }),
  );
});
