import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { engines } from "../engines";
import { insideFresh, type Inside } from "../inside";
import { refsOf } from "../../src/cli/output";
import { everyVerb } from "../tree";

const addressed = (await everyVerb()).filter(({ verb }) => "mine" in verb.args);
const limited = (await everyVerb()).filter(
  ({ words, verb }) => "limit" in verb.args && words.join(" ") !== "queue archive",
);
const everywhere = (await everyVerb()).filter(({ verb }) => "allScopes" in verb.args);

describe.each(engines)("lists on $name", ({ openFresh }) => {
  let coop: Inside;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ coop, close } = await insideFresh(openFresh));
    for (const to of ["ann", "ben", "cyd", "ann"])
      for (const words of [
        ["letter", "write", "--body", "text"],
        ["request", "open", "a title", "--body", "text"],
        ["todo", "add", "a title"],
        ["queue", "push", "jobs"],
      ])
        await coop.data([...words, "--to", to], { as: "ann" });
    for (const title of ["one", "two"])
      await coop.data(["history", "add", title, "--body", "text"], { as: "ann" });
    await coop.data(["queue", "take", "--count", "2"], { as: "ann" });
  });
  afterAll(() => close());

  const numbers = async (words: string[], as = "ann") =>
    refsOf(await coop.data(words, { as }))
      .map((ref) => Number(ref.slice(1)))
      .sort();

  for (const { words } of addressed) {
    const name = words.join(" ");

    test(`${name}: --mine beside --to is the speaker's and theirs`, async () => {
      expect(await numbers([...words, "--mine", "--to", "ben"])).toEqual([1, 2, 4]);
      expect(await numbers([...words, "--to", "ben,cyd", "--mine"], "cyd")).toEqual([2, 3]);
      const { exit, err } = await coop.run([...words, "--mine", "--to", "ben"]);
      expect(exit).toBe(2);
      expect(err).toContain("who speaks?");
    });

    test(`${name}: me and the speaker's own id are one`, async () => {
      for (const mine of [
        ["--to", "me,ann"],
        ["--to", "me", "--mine"],
      ]) {
        const { data, total, truncated } = (
          await coop.run(["--json", ...words, ...mine, "--limit", "1"], { as: "ann" })
        ).json();
        expect(refsOf(data)).toHaveLength(1);
        expect({ total, truncated }).toEqual({ total: 2, truncated: true });
      }
    });
  }

  for (const { words, verb } of limited) {
    const all = verb.args["older"] ? [...words, "--older", "0s"] : words;

    test(`${words.join(" ")}: refs alone are told to be cut by the line of the text, on stderr`, async () => {
      const { out: text } = await coop.run([...all, "--limit", "1"]);
      const rest = text.trimEnd().split("\n").at(-1)!;
      expect(rest).toMatch(/--(before|limit) \w+/);
      const { exit, out, err } = await coop.run([...all, "--quiet", "--limit", "1"]);
      expect({ exit, out, err }).toEqual({
        exit: 0,
        out: expect.stringMatching(/^[LRTHQ]\d+\n$/),
        err: `coop: ${rest}\n`,
      });
      expect(await coop.run([...all, "--quiet"])).toMatchObject({ exit: 0, err: "" });
    });
  }

  test("fifty are shown where no limit is given, and it is said that there are more", async () => {
    const fresh = await insideFresh(openFresh);
    try {
      const make = (...words: string[]) => fresh.coop.data(words, { as: "ann" });
      for (let n = 0; n < 52; n++) {
        await make("letter", "write", "--body", "text");
        await make("request", "open", "a title", "--to", "ann", "--body", "text");
        await make("todo", "add", "a title");
        await make("history", "add", `title ${n}`, "--body", "text");
        await make("queue", "push", "jobs");
      }
      await make("queue", "take", "--count", "52");
      for (const { words, verb } of limited) {
        const all = verb.args["older"] ? [...words, "--older", "0s"] : words;
        const { data, total, truncated } = (await fresh.coop.run(["--json", ...all])).json();
        const name = words.join(" ");
        expect({ name, shown: refsOf(data).length, total, truncated }).toEqual({
          name,
          shown: 50,
          total: name === "log" ? undefined : 52,
          truncated: true,
        });
      }
    } finally {
      await fresh.close();
    }
  });

  test("what is before the oldest is none that is older, and what is not there at all is none", async () => {
    const [first] = refsOf(await coop.data(["todo", "list", "--limit", "0"])).slice(-1);
    const none = async (...words: string[]) => (await coop.run(["todo", "list", ...words])).out;
    expect(await none("--before", first!)).toStartWith("no older todos");
    expect(await none("--from", "nobody-at-all")).toStartWith("no such todos");
  });

  test("none that is as asked is not said to be none at all", async () => {
    const none = async (...words: string[]) => {
      const { exit, out } = await coop.run([...words, "--scope", "lone"], { as: "ann" });
      return [exit, out.split("\n")[0]];
    };
    await coop.data(["todo", "add", "x", "--scope", "lone"], { as: "ann" });
    await coop.data(["letter", "write", "--body", "x", "--to", "ben", "--scope", "lone"], {
      as: "ann",
    });
    for (const words of [["--priority", "4"], ["--mine"], ["--status", "finished"]])
      expect(await none("todo", "list", ...words)).toEqual([0, "no such todos in lone"]);
    expect(await none("letter", "list", "--mine")).toEqual([0, "no such letters in lone"]);
    expect(await none("request", "list")).toEqual([0, "no requests in lone"]);
    expect(await none("request", "list", "--waiting-on", "me")).toEqual([
      0,
      "no such requests in lone",
    ]);
    expect(await none("history", "list")).toEqual([0, "no history entries in lone"]);
    expect(await none("history", "pending")).toEqual([0, "no pending entries in lone"]);
    expect(await none("history", "pending", "--from", "ben")).toEqual([
      0,
      "no such pending entries in lone",
    ]);
    expect(await none("queue", "list", "jobs")).toEqual([0, "no such items in lone"]);
  });

  for (const { words } of everywhere)
    test(`${words.join(" ")}: --all-scopes wins over the scope of the environment`, async () => {
      const env = { PIPPA_COOP_SCOPE: "web" };
      expect(refsOf(await coop.data([...words, "--all-scopes"], { env }))).not.toEqual([]);
    });
});
