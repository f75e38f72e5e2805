import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { CoopError } from "../../src/errors";
import { copyStore, undoCopy, type Names } from "../../src/store/copy";
import { describe as nameOf } from "../../src/store/location";
import type { Store } from "../../src/store/open";
import { FILLED_FROM, meta, MOVED_AT, MOVED_TO } from "../../src/store/schema";
import { sql, type Transaction } from "../../src/store/sql";
import { addTodo } from "../../src/surfaces/todo/store";
import { clock, engines, failure, impatient, writingAs } from "../engines";

const [sqlite, postgres] = engines;

describe.each([
  { from: sqlite!, to: postgres! },
  { from: postgres!, to: sqlite! },
])("a move from $from.name to $to.name", (pair) => {
  let from: Store;
  let to: Store;
  let names: { from: string; to: string };
  let move: Names;
  let back: Names;
  let close: () => Promise<unknown>;
  beforeEach(async () => {
    const [old, young] = [await pair.from.openFresh(), await pair.to.openFresh()];
    [from, to] = [old.store, young.store];
    names = { from: nameOf(from.location), to: nameOf(to.location) };
    move = { source: names.from, target: names.to };
    back = { source: names.to, target: names.from };
    close = () => Promise.all([old.close(), young.close()]);
    await add(from, "first");
  });
  afterEach(() => close());

  const add = (store: Store, title: string) =>
    writingAs(store, "ann", (writing) =>
      addTodo(writing, { scope: "", title, body: "", to: null, priority: 2, after: [] }),
    );
  const copy = (source = from, target = to) => copyStore(source, target, clock.now());
  const undo = (target: Store | CoopError = to) => undoCopy(from, target, move, clock.now());
  /** Where each store says that it was moved to. */
  const moved = async () => ({ from: await meta(from, MOVED_TO), to: await meta(to, MOVED_TO) });
  const without = (store: Store, setting: string) =>
    store.transaction((tx) => tx.all(sql`delete from meta where name = ${setting}`));

  test("that was undone is made again by the copy from before, where nobody wrote since", async () => {
    const { hash } = await copy();
    expect(await undo()).toBe(true);
    expect(await moved()).toEqual({ from: undefined, to: names.from });
    expect(await copy()).toMatchObject({ copied: false, hash });
    expect(await moved()).toEqual({ from: names.to, to: undefined });
    expect(await meta(to, MOVED_AT)).toBeUndefined();
    await add(to, "second");
  });

  test("that was undone is refused before anything is closed, where somebody wrote since", async () => {
    await copy();
    await undo();
    await add(from, "second");
    const { code, details, message } = await failure(copy());
    expect([code, details.reason]).toEqual(["conflict", "state"]);
    expect(message).toContain(`${names.to} holds records already`);
    expect(message).toContain("todos: 1, not 2");
    expect(details.hint).toContain("a store that was just made");
    expect(await moved()).toEqual({ from: undefined, to: names.from });
    await add(from, "third");
  });

  test("whose stores are both closed is undone, whatever they hold", async () => {
    await copy();
    await undo();
    await add(from, "second");
    // As a coop of before left it.
    await from.all(sql`insert into meta (name, value) values (${MOVED_TO}, ${names.to})`);
    expect(await failure(copy())).toMatchObject({ code: "conflict", details: { reason: "state" } });
    expect(await undo()).toBe(true);
    expect(await moved()).toEqual({ from: undefined, to: names.from });
  });

  test("is no defect, and not undone, where the copy is in use", async () => {
    await copy();
    await add(to, "second");
    for (const refused of [copy, undo]) {
      const { code, details } = await failure(refused());
      expect([code, details.reason]).toEqual(["conflict", "state"]);
    }
    expect(await moved()).toEqual({ from: names.to, to: undefined });
  });

  test("is undone where the target holds only what others wrote there", async () => {
    await from.all(sql`insert into meta (name, value) values (${MOVED_TO}, ${names.to})`);
    await add(to, "theirs");
    expect(await failure(copy())).toMatchObject({ code: "conflict", details: { reason: "state" } });
    expect(await undo()).toBe(false);
    expect(await moved()).toEqual({ from: undefined, to: undefined });
  });

  test("can be undone both ways, and never opens both", async () => {
    await copy();
    await undo();
    expect(await undoCopy(to, from, back, clock.now())).toBe(true);
    expect(await moved()).toEqual({ from: names.to, to: undefined });
    await undo();
    await add(from, "second");
    expect(await failure(undoCopy(to, from, back, clock.now()))).toMatchObject({
      code: "conflict",
      details: { reason: "state" },
    });
    expect(await moved()).toEqual({ from: undefined, to: names.from });
  });

  test("is neither made again nor undone where the copy was moved on", async () => {
    await copy();
    const third = await sqlite!.openFresh();
    try {
      await copy(to, third.store);
      for (const refused of [copy, undo])
        expect(await failure(refused())).toMatchObject({
          code: "conflict",
          details: { reason: "moved" },
        });
      expect(await moved()).toEqual({ from: names.to, to: nameOf(third.store.location) });
    } finally {
      await third.close();
    }
  });

  test("does not go to an empty store that was moved itself", async () => {
    await to.all(sql`insert into meta (name, value) values (${MOVED_TO}, '/elsewhere')`);
    expect(await failure(copy())).toMatchObject({ code: "conflict", details: { reason: "moved" } });
    expect(await moved()).toEqual({ from: undefined, to: "/elsewhere" });
  });

  test("closes the copy of a store that holds nothing too", async () => {
    const [nothing, other] = [await pair.from.openFresh(), await pair.to.openFresh()];
    try {
      const both = {
        source: nameOf(nothing.store.location),
        target: nameOf(other.store.location),
      };
      await copy(nothing.store, other.store);
      expect(await undoCopy(nothing.store, other.store, both, clock.now())).toBe(true);
      expect(await meta(other.store, MOVED_TO)).toBe(nameOf(nothing.store.location));
    } finally {
      await Promise.all([nothing.close(), other.close()]);
    }
  });

  test("says whether a copy was closed", async () => {
    await copy();
    await without(from, MOVED_AT);
    const gone = new CoopError("unavailable", "no store", { reason: "no_store" });
    expect(await undo(gone)).toBe(false);
    expect(await failure(undo())).toMatchObject({ code: "not_found" });
  });

  /** One that takes longer than that for a statement. */
  const slow = (store: Store): Store => ({
    ...impatient(store),
    transaction: (work) =>
      impatient(store).transaction(async (tx) => {
        let asked = 0;
        return work({
          ...tx,
          all: async (statement) => {
            if (asked++ === 3) await Bun.sleep(300);
            return tx.all(statement);
          },
        });
      }),
  });

  test("waits for the other store, however long that takes", async () => {
    const stores = [
      [impatient(from), slow(to)],
      [slow(from), impatient(to)],
    ] as const;
    for (const [old, young] of stores) {
      await copy(old, young);
      expect(await undoCopy(old, young, move, clock.now())).toBe(true);
    }
    await copy(...stores[0]);
    expect(await moved()).toEqual({ from: names.to, to: undefined });
  });

  /** A store that is lost at the end of its `nth` transaction, which is undone. */
  const lost = (store: Store, nth: number): Store => ({
    ...store,
    transaction: <T>(work: (tx: Transaction) => Promise<T>) =>
      store.transaction(async (tx) => {
        const result = await work(tx);
        if (--nth > 0) return result;
        throw new CoopError("unavailable", "the store was lost", {
          reason: "connection",
          hint: "try again; nothing was written",
        });
      }),
  });

  test("that is undone between its two commits copies nothing, and leaves one store open", async () => {
    let commits = 0;
    const interrupted: Store = {
      ...from,
      transaction: async (work) => {
        if (++commits === 2) expect(await undo()).toBe(false);
        return from.transaction(work);
      },
    };
    const { code, details } = await failure(copy(interrupted));
    expect([code, details.reason]).toEqual(["conflict", "moved"]);
    expect(await moved()).toEqual({ from: undefined, to: undefined });
    await add(from, "second");
    expect(await copy()).toMatchObject({ copied: true, rows: { todos: 2 } });
  });

  test("that was not complete can be given up for its target alone, whatever became of the source", async () => {
    const fill = () =>
      to.all(sql`insert into meta (name, value) values (${FILLED_FROM}, ${names.from})`);
    await fill();
    expect(await failure(copyStore(to, from, clock.now()))).toMatchObject({
      code: "conflict",
      details: { reason: "moved" },
    });
    const gone = new CoopError("unavailable", "no store", { reason: "no_store" });
    expect(await undoCopy(gone, to, move, clock.now())).toBe(false);
    expect(await meta(to, FILLED_FROM)).toBeUndefined();
    expect(await failure(undoCopy(gone, to, move, clock.now()))).toBe(gone);

    await fill();
    await from.all(sql`insert into meta (name, value) values (${MOVED_TO}, 'elsewhere')`);
    expect(await undo()).toBe(false);
    expect(await meta(to, FILLED_FROM)).toBeUndefined();
    expect((await failure(undo())).details.reason).toBe("moved");
  });

  test("that breaks between the two commits says what was written, and is given again", async () => {
    const broken = await failure(copy(lost(from, 2)));
    expect([broken.code, broken.details.reason]).toEqual(["unavailable", "connection"]);
    expect(broken.details.hint).not.toContain("nothing was written");
    expect(broken.details.hint).toContain(`the copy in ${names.to} is complete`);
    expect(await copy()).toMatchObject({ copied: false });

    const undone = await failure(undoCopy(lost(from, 1), to, move, clock.now()));
    expect(undone.details.hint).not.toContain("nothing was written");
    expect(undone.details.hint).toContain(`${names.to} is closed`);
    expect(await undo()).toBe(true);
    expect(await moved()).toEqual({ from: undefined, to: names.from });
  });
});
