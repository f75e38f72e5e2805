import { Database } from "bun:sqlite";
import { version } from "../../package.json";
import type { Versions } from "../cli/about";

/** The versions of coop, of the Bun in it and of the SQLite that it uses. */
export function versions(): Versions {
  using memory = new Database(":memory:");
  const { sqlite } = memory
    .query<{ sqlite: string }, []>("select sqlite_version() as sqlite")
    .get()!;
  return { coop: version, bun: Bun.version, sqlite };
}
