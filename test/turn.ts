import { LOCK_CLASS } from "../src/store/postgres/connection";
import type { Server } from "./postgres";

/**
 * Takes the turn to write in a schema, as a command does: it has it when this returns, and until it is disposed of.
 * `await using turn = await turnOf(server, schema)`.
 */
export async function turnOf(server: Server, schema: string): Promise<AsyncDisposable> {
  const connection = new Bun.SQL(server.url(schema).replace(/[?&]schema=[^&]*/, ""), { max: 1 });
  const key = `(${LOCK_CLASS}, hashtext('${schema}'))`;
  await connection.unsafe(`select pg_advisory_lock${key}`);
  return {
    [Symbol.asyncDispose]: async () => {
      await connection.unsafe(`select pg_advisory_unlock${key}`);
      await connection.close({ timeout: 0 });
    },
  };
}
