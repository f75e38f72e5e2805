import { answer, type Answer } from "../cli/answer";
import type { Context } from "../cli/context";
import { describe, type PostgresLocation } from "../store/location";
import { openStore } from "../store/open";
import { createPostgresStore, upgradePostgresStore } from "../store/postgres/store";
import { warnLastSeen } from "./last-seen";

/** `coop init` of a store in a PostgreSQL database: makes the schema, the tables in it and nothing else. */
export async function initPostgres(
  location: PostgresLocation,
  upgrade: boolean,
  context: Context,
): Promise<Answer> {
  const created = await createPostgresStore(location, context.wait);
  if (!created && upgrade)
    await upgradePostgresStore(location, context.wait, warnLastSeen(context));
  const store = await openStore(location, context.wait);
  await store.close();
  return answer(
    { store: describe(location), created, schema: store.schema },
    ({ store: name }) => (created ? `made the store ${name}` : `the store ${name} is there`),
    { made: created },
  );
}
