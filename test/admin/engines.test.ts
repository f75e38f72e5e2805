import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Check } from "../../src/admin/doctor/check";
import type { Store } from "../../src/store/open";
import { raw, sql } from "../../src/store/sql";
import { writeLetter } from "../../src/surfaces/letter/store";
import { clock, engines, writingAs } from "../engines";
import { insideFresh, type Inside } from "../inside";

describe.each(engines)("looking after a store on $name", ({ openFresh }) => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const letter = (as: string, at?: number) =>
    writingAs(
      store,
      as,
      (writing) =>
        writeLetter(writing, { scope: "", to: as, title: "", body: "x", supersedes: [] }),
      at === undefined ? {} : { at },
    );
  const find = async (what: string): Promise<Check> =>
    (await coop.data(["doctor"])).checks.find((check: Check) => check.name === what);

  test("the doctor finds it healthy", async () => {
    await letter("ann");
    const { checks } = await coop.data(["doctor"]);
    expect(checks.filter(({ status }: Check) => status === "fail")).toEqual([]);
    expect(checks[0]).toMatchObject({ name: "store", status: "ok" });
    for (const what of ["clock", "ids", "schema"])
      expect(await find(what)).toMatchObject({ status: "ok" });
  });

  test("init tells the schema that the store has, which may be a newer one", async () => {
    const { schema } = await coop.data(["init"]);
    const next = schema + 1;
    await store.transaction((tx) =>
      tx.all(
        store.dialect.name === "sqlite"
          ? raw(`pragma user_version = ${next}`)
          : sql`update meta set value = ${String(next)} where name = 'schema_version'`,
      ),
    );
    expect(await coop.data(["init"])).toMatchObject({ created: false, schema: next });
  });

  test("the doctor finds misspelt ids", async () => {
    for (let n = 0; n < 5; n++) await letter("codex-pippa");
    await letter("codex-pipa");
    expect(await find("ids")).toMatchObject({
      status: "warn",
      message: "'codex-pipa' (1 event) looks like 'codex-pippa' (5 events)",
    });
  });

  test("the doctor finds a clock that was set back, and one that is ahead", async () => {
    const now = clock.now();
    await letter("ann", now);
    await letter("ann", now - 7_200_000);
    expect(await find("clock")).toMatchObject({
      status: "warn",
      message: expect.stringMatching(/^set back by 2h at event 2 \(\d{4}-.*Z on host\)$/),
    });
    await store.transaction((tx) => tx.all(sql`update events set at = at + ${9e8} where id = 2`));
    expect(await find("clock")).toMatchObject({
      status: "warn",
      message: expect.stringMatching(/10d in the future \(\d{4}-.*Z, by ann on host\)$/),
    });
  });

  test("a backup to a file is a SQLite copy of it", async () => {
    await letter("ann");
    const { file, events } = await coop.data(["backup", "--to", "copy.db"]);
    expect(events).toBe(1);
    expect(await coop.data(["letter", "list", "--db", file])).toMatchObject([{ ref: "L1" }]);
  });

  test("a backup into a folder that is not there asks for its disk, and makes nothing", async () => {
    await Bun.write(join(coop.folder, "file"), "");
    for (const [to, folder] of [
      ["nas/a.db", "nas"],
      ["nas/", "nas"],
      ["nas", "nas"],
      ["file/a.db", "file"],
    ] as const) {
      const { exit, err } = await coop.run(["backup", "--to", to]);
      expect({ to, exit, err }).toEqual({
        to,
        exit: 6,
        err: expect.stringContaining(
          `coop: there is no folder ${join(coop.folder, folder)}; is the disk mounted? `,
        ),
      });
    }
    expect(await readdir(coop.folder)).toEqual(["file"]);
  });
});

test("a backup of a store on a server removes what one that was killed left of it", async () => {
  const server = engines.find(({ name }) => name === "PostgreSQL")!;
  const { coop, close } = await insideFresh(server.openFresh);
  try {
    const aged = async (name: string, hours: number) => {
      const folder = join(coop.folder, name);
      const file = join(folder, "coop.db");
      await mkdir(folder);
      await Bun.write(file, "all that the store held");
      const at = Date.now() / 1000 - hours * 3600;
      for (const path of [file, folder]) await utimes(path, at, at);
    };
    await aged(".coop-copy-killed", 2);
    await aged(".coop-copy-working", 0);

    await coop.data(["backup", "--to", coop.folder]);

    const left = (await readdir(coop.folder)).filter((name) => name.startsWith(".coop-copy-"));
    expect(left).toEqual([".coop-copy-working"]);
  } finally {
    await close();
  }
});
