import { expect, test } from "bun:test";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "../../../src/store/sqlite/inspect";
import { putInPlace } from "../../../src/store/sqlite/restorable";
import { failure } from "../../engines";
import { story } from "../../story";

test("a store that came in the place of one that could not be opened is not replaced", async () => {
  await using coop = await story();
  const copy = join(coop.folder, "copy.db");
  await coop.data(["backup", "--to", copy]);
  await coop.data(["todo", "add", "since"], { as: "ann" });
  const source = { path: copy, contents: inspect(copy), discard: async () => {} };
  const was = { there: await stat(copy), kept: join(coop.folder, "kept.db") };

  expect(await failure(putInPlace(source, coop.store, was))).toMatchObject({
    code: "busy",
    message: `${coop.store} was replaced while this command ran`,
  });
  expect(await coop.data(["todo", "list"])).toMatchObject([{ title: "since" }]);
});
