import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Store } from "../../src/store/open";
import { raw } from "../../src/store/sql";
import { archivable } from "../../src/surfaces/queue/store";
import { clock, engines, eventsOf } from "../engines";
import { insideFresh, type Inside } from "../inside";

describe.each(engines)("archiving from $name", ({ openFresh }) => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const ann = (line: string) => coop.data(line.split(" "), { as: "ann" });
  const numbersOf = async (more: Partial<Parameters<typeof archivable>[1]> = {}) =>
    archivable(store, { before: clock.now() + 1e9, limit: 0, ...more });

  test("moves items with their replies and events into a file that is read as a store", async () => {
    await ann("queue push jobs question --to ann,ben");
    for (const ref of ["Q1", "Q2"]) {
      await coop.data(["queue", "take", ref], { as: ref === "Q1" ? "ann" : "ben" });
      await coop.data(
        ["queue", "done", ref, "--reply", `답 ${ref}`, "--from", ref === "Q1" ? "ann" : "ben"],
        { as: "dad" },
      );
    }
    await ann("queue push later x");
    const file = join(coop.folder, "archive.db");
    const shown = await coop.data(["queue", "show", "Q2"]);
    const { length } = await eventsOf(store);

    const moved = await ann(`queue archive --older 0s --to ${file}`);

    expect(moved).toMatchObject({ archived: 2, events: 6, queues: { jobs: 2 } });
    expect(await store.all(raw("select number from queue_items"))).toEqual([{ number: 3 }]);
    expect(await store.all(raw("select id from replies"))).toEqual([]);
    const events = await eventsOf(store);
    expect(events).toHaveLength(length - 6 + 1);
    expect(events.at(-1)).toMatchObject({
      verb: "archive",
      after: { to: file, items: 2, events: 6 },
    });
    expect(await coop.data(["--db", file, "queue", "show", "Q2"])).toEqual(shown);
    using archive = new Database(file);
    expect(archive.query("select count(*) as count from events").get()).toEqual({ count: 6 });
  });

  test("takes what hangs together whole, or leaves it whole", async () => {
    await ann("queue push a x");
    await ann("queue push b x --re Q1 --to ann,ben");
    await ann("queue push c x --re Q3");
    await ann("queue push d x");
    for (const ref of ["Q1", "Q2", "Q3", "Q5"]) await ann(`queue drop ${ref}`);
    expect(await numbersOf()).toEqual({ numbers: [5], kept: 3, left: 0 });
    await ann("queue drop Q4");
    expect(await numbersOf()).toEqual({ numbers: [1, 2, 3, 4, 5], kept: 0, left: 0 });
    expect(await numbersOf({ queue: "b" })).toEqual({ numbers: [], kept: 2, left: 0 });
    // A group is not torn by the limit.
    expect(await numbersOf({ limit: 1 })).toEqual({ numbers: [1, 2, 3, 4], kept: 0, left: 1 });
    expect(await numbersOf({ limit: 4 })).toEqual({ numbers: [1, 2, 3, 4], kept: 0, left: 1 });
  });

  test("takes what was last changed before a time", async () => {
    await ann("queue push a x");
    await ann("queue drop Q1");
    const { updated_at } = await coop.data(["show", "Q1"]);
    expect(await numbersOf({ before: Date.parse(updated_at) })).toMatchObject({ numbers: [] });
    expect(await numbersOf({ before: Date.parse(updated_at) + 1 })).toMatchObject({ numbers: [1] });
  });
});
