import { lookAtServer } from "../../store/postgres/examine";
import type { Sql } from "../../store/sql";
import { check, ok, warn, type Check } from "./check";

/** Whether the way to a server is safe, and the server keeps what it acknowledges. */
export async function serverFindings(on: Sql): Promise<Check[]> {
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
