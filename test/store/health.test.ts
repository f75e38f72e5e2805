import { expect, test } from "bun:test";
import { lastSetBack } from "../../src/store/health";
import { sql } from "../../src/store/sql";
import { engines } from "../engines";

test.each(engines)(
  "a clock that was set back is found however many events are since, in $name",
  async (engine) => {
    const { store, close } = await engine.openFresh();
    const last = 60_000;
    // Each is a millisecond after the one before it, but for the second.
    await store.transaction((tx) =>
      tx.all(sql`with recursive n (n) as (select 1 union all select n + 1 from n where n < ${last})
      insert into events (id, at, author, host, pid, folder, surface, number, verb, version)
      select n, case n when 1 then 1000000 else n end, 'ann', 'h', 1, '/', 'todo', 1, 'edit', n from n`),
    );
    expect(await lastSetBack(store, 0, 1000)).toMatchObject({ id: 2, at: 2, before: 1_000_000 });
    expect(await lastSetBack(store, 1_000_001, 1000)).toBeUndefined();
    expect(await lastSetBack(store, 0, 1_000_000)).toBeUndefined();
    await close();
  },
);
