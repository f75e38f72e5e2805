import { raw, type Sql } from "../sql";
import type { SqliteConnection } from "./connection";

/** The schema version that a coop store in a file says it has. */
export async function userVersion(on: Sql): Promise<number> {
  const [row] = await on.all<{ user_version: number }>(raw("pragma main.user_version"));
  return row!.user_version;
}

/** A number that is another one after any other connection has written. */
export async function dataVersion(on: Sql): Promise<number> {
  const [row] = await on.all<{ data_version: number }>(raw("pragma data_version"));
  return row!.data_version;
}

/** Whether SQLite finds no damage in a store. */
export async function isSound(on: Sql): Promise<boolean> {
  const [row] = await on.all<{ integrity_check: string }>(raw("pragma integrity_check(1)"));
  return row!.integrity_check === "ok";
}

/** Reads every page and index of a store, and gives what is wrong with them: about `most` lines, none when all is well. */
export async function damages(connection: SqliteConnection, most: number): Promise<string[]> {
  const rows = await connection.run(`pragma integrity_check(${most})`);
  return rows
    .flatMap((row) => String(row["integrity_check"]).split("\n"))
    .filter((line) => line !== "ok" && !line.startsWith("***"));
}

/** How many rows of each table name a record that is not there. */
export async function dangling(connection: SqliteConnection): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { table } of await connection.run("pragma foreign_key_check"))
    found.set(String(table), (found.get(String(table)) ?? 0) + 1);
  return found;
}
