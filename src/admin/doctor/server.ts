import { describe } from "../../store/location";
import type { Store } from "../../store/open";
import { HINTS } from "../../store/postgres/errors";
import { barriers, lookAtServer } from "../../store/postgres/examine";
import { check, ok, warn, type Check } from "./check";

/** Whether the way to a server is safe, and the server lets this user write and keeps what it acknowledges. */
export async function serverFindings(on: Store): Promise<Check[]> {
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
      const { readOnly, tables } = await barriers(on);
      const unwritable = `${describe(on.location)} cannot be written`;
      if (readOnly)
        return warn(`${unwritable}: it may only be read there; reading goes on`, HINTS.read_only);
      if (tables.length > 0)
        return warn(
          `${unwritable}: this user may not write ${tables.join(", ")}; reading goes on`,
          HINTS.access,
        );
      return ok("may be written");
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
