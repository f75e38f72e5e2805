import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { engines } from "../engines";
import { insideFresh, type Inside } from "../inside";

describe.each(engines)("showing on $name", ({ openFresh }) => {
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const RECORDS = [
    ["L1", "letter", ["write"]],
    ["R1", "request", ["open", "--to", "ben"]],
    ["T1", "todo", ["add"]],
    ["H1", "history", ["add", "--slug", "a-slug"]],
  ] as const;

  test.each(RECORDS)(
    "tells the whole title of %s, on one line",
    async (ref, surface, [verb, ...more]) => {
      const title = `${"1,".repeat(100)}\u202e\nthe rest`;
      const shown = `${"1,".repeat(100)}\\u{202e}\\nthe rest`;
      const words = [surface, verb, "--title", title, ...more, "--body", "a body"];
      await coop.data(words, { as: "ann" });
      const { out } = await coop.run(["show", ref]);
      expect(out.split("\n")[0]).toEndWith(` ${shown}`);
      const list = await coop.run(
        [surface, "list", "--status", "all"].slice(0, surface === "history" ? 2 : 4),
      );
      expect(list.out.split("\n")[0]).toEndWith(`${"1,".repeat(50)}…`);
    },
  );

  test("calls a letter without a title by the beginning of its text", async () => {
    await coop.data(["letter", "write", "--body", "first\nsecond"], { as: "ann" });
    expect((await coop.run(["show", "L1"])).out.split("\n")[0]).toEndWith(" first…");
  });
});
