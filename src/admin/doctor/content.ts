import { counted } from "../../cli/text";
import { firstFew } from "../../few";
import { distance } from "../../nearest";
import { everyId, lastSetBack, latestEvent, missingTables, type Written } from "../../store/health";
import {
  breaksOlder,
  LEAST,
  meta,
  movedAway,
  NEWEST_COOP,
  schemaVersion,
} from "../../store/schema";
import type { Sql } from "../../store/sql";
import type { SqliteConnection } from "../../store/sqlite/connection";
import { damages, dangling } from "../../store/sqlite/examine";
import { age, timestamp, TOLERANCE_MS } from "../../time";
import { fail, ok, warn, type Finding } from "./check";

const RESTORE = "stop writing and ask the person: coop restore FILE takes a backup";
const COPY_BACK =
  "stop writing and ask the person: coop copy --from BACKUP --to a schema that was just made takes a backup";
const SHOWN = 3;

/** What a store is, and whether another has taken its place or is being copied into it. @param store what it is called. */
export function standing(
  store: string,
  movedTo: string | undefined,
  filledFrom: string | undefined,
): Finding {
  if (movedTo !== undefined)
    return warn(
      `${store}, which was moved to ${movedTo}: nothing is written here any more`,
      movedAway(movedTo).details.hint!,
    );
  if (filledFrom === undefined) return ok(store);
  return warn(
    `${store}, which is not filled yet: ${filledFrom} is being copied into it`,
    "coop copy with the same --from and --to completes it, and --undo ends it",
  );
}

/** Whether every page and index of the store is whole. */
export async function integrity(connection: SqliteConnection): Promise<Finding> {
  const found = await damages(connection, SHOWN + 1);
  if (found.length === 0) return ok("whole");
  const more = found.length > SHOWN ? "; and more" : "";
  return fail(`damaged: ${found.slice(0, SHOWN).join("; ")}${more}`, RESTORE);
}

/** Whether every record that is named is there. */
export async function references(connection: SqliteConnection): Promise<Finding> {
  const found = await dangling(connection);
  if (found.size === 0) return ok("all there");
  const rows = Array.from(found, ([table, count]) => `${count} of ${table}`);
  return fail(`rows that name a record that is not there: ${rows.join(", ")}`, RESTORE);
}

/** Whether this binary and the store's schema fit. */
export async function schema(on: Sql, version: number, coop: string): Promise<Finding> {
  const known = schemaVersion();
  const both = `${version}; coop ${coop} knows ${known}`;
  if (version > known) {
    const [reader, writer] = [await meta(on, LEAST.reader), await meta(on, LEAST.writer)].map(
      Number,
    );
    if (reader! > known) return fail(`${both} and may not read it`, NEWEST_COOP);
    if (writer! > known) return fail(`${both} and may not write it`, NEWEST_COOP);
    return ok(`${both} and can live with it`);
  }
  if (version < known)
    return breaksOlder(version)
      ? fail(both, "ask the person: coop init --upgrade")
      : warn(both, "any other command of this coop brings it up");
  const missing = await missingTables(on);
  return missing.length === 0
    ? ok(both)
    : fail(
        `${both}; not there: ${missing.join(", ")}`,
        on.dialect.name === "sqlite" ? RESTORE : COPY_BACK,
      );
}

/** Whether the clocks of those who write are right. */
export async function clock(on: Sql, now: number): Promise<Finding> {
  const last = await latestEvent(on);
  if (last && last.at > now + TOLERANCE_MS)
    return warn(
      `event ${last.id} is ${age(last.at - now)} in the future (${timestamp(last.at)}, by ${last.author} on ${last.host})`,
      `set the clock of this host or of ${last.host} right; what is ordered by time is wrong until then`,
    );
  const back = await lastSetBack(on, now - SET_BACK_MS, TOLERANCE_MS);
  if (back) {
    const hosts = [...new Set([back.host_before, back.host])].join(" or of ");
    return warn(
      `set back by ${age(back.before - back.at)} at event ${back.id} (${timestamp(back.at)} on ${back.host})`,
      `keep the clock of ${hosts} right; what is ordered by time is wrong there`,
    );
  }
  return ok("goes forward");
}

/** For so long it is told that a clock was set back. */
const SET_BACK_MS = 30 * 24 * 3_600_000;

/** So few events that an id may have been a slip, and how many more the right one has. */
const FEW = 3;
const TIMES = 3;

/** Each is compared with each. */
const MOST_COMPARED = 500;

/** Whether ids are misspellings of one another. */
export async function ids(on: Sql): Promise<Finding> {
  const all = await everyId(on);
  if (all.length > MOST_COMPARED)
    return ok(`${all.length} known, too many to find those that are slips for another`);
  const slips = all
    .filter(({ events }) => events <= FEW)
    .flatMap((rare) => {
      const meant = all
        .filter((often) => often.events > rare.events * TIMES && looksLike(rare.id, often.id))
        .sort((a, b) => b.events - a.events)[0];
      return meant ? [{ rare, meant }] : [];
    });
  if (slips.length === 0) return ok(`${all.length} known`);
  const told = slips.map(({ rare, meant }) => `${named(rare)} looks like ${named(meant)}`);
  return warn(
    firstFew(told, undefined, "; "),
    "if it is one of them, use the known id; `coop who` says what is open on each",
  );
}

const named = ({ id, events }: Written) =>
  `'${id}' (${counted(Number.isFinite(events) ? events : "archived", "event")})`;

/** Whether one id may be a slip for another: a letter or two apart where they are long, and not two of a numbered row. */
function looksLike(a: string, b: string): boolean {
  const shorter = Math.min([...a].length, [...b].length);
  // Any letter is one away from any other.
  const most = shorter < 3 ? 0 : shorter < 6 ? 1 : 2;
  if (Math.abs(a.length - b.length) > most) return false;
  if (a.replace(/\d+/g, "#") === b.replace(/\d+/g, "#")) return false;
  return distance(a.toLowerCase(), b.toLowerCase()) <= most;
}
