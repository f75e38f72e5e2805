import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Store } from "../../src/store/open";
import { Wait } from "../../src/store/wait";
import { moveOut } from "../../src/surfaces/queue/store/move-out";
import { clock, engines, impatient, writingAs } from "../engines";
import { insideFresh } from "../inside";

test.each(engines)(
  "a store in $name lets its transaction rest while an archive is at work",
  async ({ openFresh }) => {
    const { store, coop, close } = await insideFresh(openFresh);
    try {
      const file = join(coop.folder, "archive.db");
      for (const payload of ["first", "second"]) {
        const { ref } = await coop.data(["queue", "push", "jobs", payload], { as: "ann" });
        await coop.data(["queue", "drop", ref], { as: "ann" });
      }
      const move = (from: Store, number: number) =>
        writingAs(from, "ann", (writing) =>
          moveOut(writing, [number], { file, store: undefined }, new Wait(10, clock)),
        );
      await move(store, 1);
      using archive = new Database(file);
      archive.run("begin exclusive");
      const moved = move(impatient(store), 2);
      await Bun.sleep(400);
      archive.run("commit");
      expect(await moved).toMatchObject({ queues: { jobs: 1 } });
    } finally {
      await close();
    }
  },
);
