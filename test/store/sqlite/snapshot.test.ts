import { afterEach, beforeEach, expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { openStore, type Store } from "../../../src/store/open";
import { copySnapshot, Overtaken, snapshot } from "../../../src/store/sqlite/snapshot";
import { Wait } from "../../../src/store/wait";
import { clock } from "../../engines";
import { story, type Story } from "../../story";

const SECRET = "hunter2-correct-horse";

let coop: Story;
let store: Store;
let target: string;
beforeEach(async () => {
  coop = await story();
  await coop.data(["letter", "write", "--body", SECRET], { as: "ann" });
  store = await openStore({ engine: "sqlite", path: coop.store }, new Wait(10, clock));
  target = join(dirname(coop.store), "copy.db");
});
afterEach(async () => {
  await store.close();
  await coop[Symbol.asyncDispose]();
});

const redact = () => coop.data(["redact", "L1", "--text", SECRET], { as: "ann" });
const holdsSecret = async () => Buffer.from(await Bun.file(target).bytes()).includes(SECRET);

test("a snapshot that is under way while a text is redacted comes without it", async () => {
  let looks = 0;
  const made = await snapshot(store, target, {
    clock,
    doing: async (what) => {
      if (what === "checking" && ++looks === 1) await redact();
    },
  });

  expect({ looks, file: made.file, holds: await holdsSecret() }).toEqual({
    looks: 2,
    file: target,
    holds: false,
  });
});

test("a copy of a snapshot from before a redaction comes without the text", async () => {
  const made = await snapshot(store, `${target}.first`, { clock });
  await redact();

  await copySnapshot(store, made, target, { clock });

  expect(await holdsSecret()).toBe(false);
});

test("a snapshot that gets its name while a text is redacted is made anew without it", async () => {
  let asked = 0;
  // What was asked of the store is answered before the redaction, and the file renamed after it.
  const late: Store = {
    ...store,
    all: async (statement) => {
      const rows = await store.all<never>(statement);
      const isAsked = statement.render("?").text.includes("verb = 'redact'");
      if (isAsked && ++asked === 1) await redact();
      return rows;
    },
  };
  await snapshot(late, target, { clock });
  expect({ holds: await holdsSecret() }).toEqual({ holds: false });
  expect(asked).toBeGreaterThan(2);
});

test("a snapshot of what was copied from a store that has redacted a text since is none", async () => {
  const fetched = `${target}.fetched`;
  await snapshot(store, fetched, { clock });
  const copied = await openStore({ engine: "sqlite", path: fetched }, new Wait(10, clock));
  try {
    await snapshot(copied, target, { clock, origin: store });
    const before = await Bun.file(target).bytes();
    await redact();
    const again = snapshot(copied, target, { clock, origin: store });
    expect(await again.catch((thrown) => thrown)).toBeInstanceOf(Overtaken);
    expect(await Bun.file(target).bytes()).toEqual(before);
  } finally {
    await copied.close();
  }
});
