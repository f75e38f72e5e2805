import { expect, test } from "bun:test";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "../../../src/store/sqlite/inspect";
import { replaceFile } from "../../../src/store/sqlite/restorable";
import { savedName } from "../../../src/store/sqlite/restore";
import { failure } from "../../engines";
import { story } from "../../story";

test("a store that came in the place of one that could not be opened is not replaced", async () => {
  await using coop = await story();
  const copy = join(coop.folder, "copy.db");
  await coop.data(["backup", "--to", copy]);
  await coop.data(["todo", "add", "since"], { as: "ann" });
  const source = { path: copy, contents: inspect(copy), discard: async () => {} };
  const was = { there: await stat(copy), kept: join(coop.folder, "kept.db") };

  expect(await failure(replaceFile(source, coop.store, was))).toMatchObject({
    code: "busy",
    message: `${coop.store} was replaced while this command ran`,
  });
  expect(await coop.data(["todo", "list"])).toMatchObject([{ title: "since" }]);
});

test("two restores of one time keep what was there under a name each", async () => {
  await using coop = await story();
  const at = Date.UTC(2026, 10, 22);
  const first = await savedName(coop.store, at);
  await Bun.write(first, "what was there");
  const second = await savedName(coop.store, at);
  expect(second).not.toBe(first);
  expect(await Bun.file(second).exists()).toBe(false);
});
