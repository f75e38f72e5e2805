import type { Context } from "../cli/context";
import type { LastSeen } from "../store/last-seen";
import { age } from "../time";

/** Warns of each who used a store last that older binaries are shut out of it now. */
export const warnLastSeen = (context: Context) => (seen: readonly LastSeen[]) => {
  for (const { id, host, at } of seen)
    context.warn(
      "last_seen",
      `${id} on ${host} used the store ${age(context.now() - at)} ago: it needs this coop now`,
    );
};
