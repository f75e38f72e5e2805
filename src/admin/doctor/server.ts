import type { Context } from "../../cli/context";
import { describe, type Location } from "../../store/location";
import type { Store } from "../../store/open";
import { HINTS } from "../../store/postgres/errors";
import { barriers, lookAtServer, type Barriers } from "../../store/postgres/examine";
import { FILLED_FROM, meta, MOVED_TO } from "../../store/schema";
import { check, failed, ok, warn, type Check } from "./check";
import { clock, ids, schema, standing } from "./content";

/** What can be said of a store on a server, which is no file of this machine. */
export async function serverChecks(location: Location, context: Context): Promise<Check[]> {
  try {
    const store = await context.store();
    return [
      {
        name: "store",
        ...standing(
          describe(location),
          await meta(store, MOVED_TO),
          await meta(store, FILLED_FROM),
        ),
      },
      ...(await findings(store)),
      await check("schema", async () => {
        const { coop } = await context.edge.versions();
        return schema(store, store.schema, coop);
      }),
      await check("clock", () => clock(store, context.now())),
      await check("ids", () => ids(store)),
    ];
  } catch (thrown) {
    return [{ name: "store", ...failed(thrown) }];
  }
}

/** Whether the way to a server is safe, and the server lets this user write and keeps what it acknowledges. */
async function findings(on: Store): Promise<Check[]> {
  let asked: Promise<Barriers> | undefined;
  const barred = () => (asked ??= barriers(on));
  return [
    await check("connection", async () => {
      const { version, tls, near } = await lookAtServer(on);
      const server = `PostgreSQL ${version}`;
      if (tls) return ok(`${server}, by ${tls}`);
      if (near) return ok(`${server}, on this machine`);
      return warn(
        `${server}, on another machine without TLS: all can be read on the way`,
        "let the server speak TLS, and add sslmode=verify-full to the URL",
      );
    }),
    await check("permissions", async () => {
      const { readOnly, unwritable, lasting } = await barred();
      const cannot = `${describe(on.location)} cannot be written`;
      if (readOnly)
        return warn(`${cannot}: it may only be read there; reading goes on`, HINTS.read_only);
      if (unwritable.length > 0)
        return warn(
          `${cannot}: this user may not write ${unwritable.join(", ")}; reading goes on`,
          HINTS.access,
        );
      if (lasting.length > 0)
        return warn(
          `this user may write, but delete nothing from ${lasting.join(", ")}, as some commands do`,
          HINTS.access,
        );
      return ok("may be written");
    }),
    await check("rules", async () => {
      const { foreign } = await barred();
      if (foreign.length === 0) return ok("none but coop's own");
      return warn(
        `${foreign.join(", ")}: what is made by others can hide what is there, or swallow what is written`,
        "ask the person what it is for, and to take it away",
      );
    }),
    await check("durability", async () => {
      const { unsafe } = await lookAtServer(on);
      if (unsafe.length === 0) return ok("what is acknowledged is on the disk");
      return warn(
        `the server has ${unsafe.map((name) => `${name} off`).join(" and ")}: it can lose what it acknowledged`,
        "ask the person to set it on",
      );
    }),
  ];
}
