import { first, raw, sql, type Fragment, type Row, type Sql, type Value } from "./sql";
import { keptJson } from "./json";
import { FORGOTTEN } from "./keys";
import { inOrder } from "./listing";
import { pages } from "./pages";
import { ref, type Surface } from "../ref";
import { TEXTS } from "./tables";
import { eraseAbout, eraseIn, eraser, inJson, tombstone, type EraseRow } from "./tombstone";

/** A record by its number. */
export interface Which {
  surface: Surface;
  number: number;
}

/** Whether a store still has in some records what a redaction would replace. */
export async function holds(
  on: Sql,
  which: readonly Which[],
  text: string | undefined,
): Promise<boolean> {
  const { places, keys } = await findIn(on, which, text, tombstone("?", 0));
  return keys.length > 0 || places.some(({ wasThere }) => wasThere);
}

/** What is kept with a key of a command. */
interface Answered extends Row {
  fingerprint: string;
  result: string;
}

/** One row's new values. */
interface Found {
  table: string;
  set: Record<string, Value>;
  where: Fragment;
}

/** What is to be changed in a record and in its events. */
interface Changes {
  /** The record's ref. */
  name: string;
  record: Found[];
  events: Found[];
  /** Whether there is anything to be changed in either. */
  wasThere: boolean;
  /** Erases what a kept answer tells of it. */
  eraseKept: EraseRow;
}

/** What is to be changed in a kept answer, and the refs of the records that it tells of. */
interface KeyChange extends Found {
  about: string[];
}

/** All that is to be changed of some records, so that a text is nowhere in them, or none that people wrote there. */
export async function findIn(
  on: Sql,
  which: readonly Which[],
  text: string | undefined,
  stone: string,
): Promise<{ places: Changes[]; keys: KeyChange[] }> {
  const places: Changes[] = [];
  for (const each of which) places.push(await changesOf(on, each, text, stone));
  return { places, keys: await keysTelling(on, places) };
}

async function changesOf(
  on: Sql,
  { surface, number }: Which,
  text: string | undefined,
  stone: string,
): Promise<Changes> {
  const { table, columns, said } = TEXTS[surface];
  const slug = columns.includes("slug") ? await freeSlug(on, number) : "";
  const rows = await on.all(sql`select * from ${raw(table)} where number = ${number}`);
  const logged = await on.all<{ id: number; before: string | null; after: string | null }>(
    sql`select id, before, after from events where surface = ${surface} and number = ${number}`,
  );
  const own = eraser(text, stone);
  const titles = [
    ...rows,
    ...logged.flatMap(({ before, after }) => [before, after]).map((json) => json && keptJson(json)),
  ].map((each) => (each as { title?: unknown } | null)?.title);
  const held =
    columns.includes("slug") &&
    titles.some((title) => typeof title === "string" && own.erase(title) !== title);
  const one = held ? { ...own, isInSlug: own.isLeftInSlug } : own;
  const erased: EraseRow = (row) => eraseIn(row, columns, one, slug);

  const record: Found[] = [];
  for (const row of rows) {
    const set = difference(row, erased(row));
    if (set) record.push({ table, set, where: sql`number = ${number}` });
  }
  const messages = said
    ? await on.all<{ id: number; body: string }>(
        sql`select id, body from ${raw(said.table)} where ${raw(said.of)} = ${number}`,
      )
    : [];
  for (const { id, body } of messages) {
    const set = difference({ body }, { body: one.erase(body) });
    if (set) record.push({ table: said!.table, set, where: sql`id = ${id}` });
  }

  const events: Found[] = [];
  for (const { id, ...values } of logged) {
    const clean = (json: string | null) => json && inJson(json, erased);
    const set = difference(values, { before: clean(values.before), after: clean(values.after) });
    if (set) events.push({ table: "events", set, where: sql`id = ${id}` });
  }

  const wasThere = record.length + events.length > 0;
  const all = eraser(undefined, stone);
  // Where a text is cut short, it may hold a part of what is to go.
  const eraseKept: EraseRow = (row) =>
    wasThere && "complete" in row && row.complete === false
      ? eraseIn(row, columns, all, slug)
      : erased(row);
  return { name: ref(surface, number), record, events, wasThere, eraseKept };
}

/** How many kept answers are in memory at once: each can tell of thousands of records. */
const ANSWERS_AT_ONCE = 100;

/** The kept answers that tell of records, and what is to be changed in them. One look at all of them finds those of all. */
async function keysTelling(on: Sql, places: readonly Changes[]): Promise<KeyChange[]> {
  const byName = new Map(places.map((place) => [place.name, place]));
  const [name] = byName.keys();
  const tells = byName.size === 1 ? `%"${name}"%` : "%";
  const found: KeyChange[] = [];
  const answers = pages<{ author: string; verb: string; key: string } & Answered>(
    on,
    { columns: ["author", "verb", "key"], size: ANSWERS_AT_ONCE },
    (next, order) => sql`select author, verb, key, fingerprint, result from keys
      where result like ${tells} and ${next} ${inOrder(order)}`,
  );
  for await (const page of answers)
    for (const { author, verb, key, ...answer } of page) {
      const named = answer.result.matchAll(/"([A-Z]\d+)"/g);
      if (!named.some(([, told]) => byName.has(told!))) continue;
      const told = toldOf(keptJson(answer.result)).map(String);
      const about = told.filter((each) => byName.has(each));
      if (about.length === 0) continue;
      const result = inJson(answer.result, (value) =>
        eraseAbout(value, (each) => byName.get(String(each))?.eraseKept),
      );
      // Any command whose answer is about the record may have been given the text, whether or not it repeats it.
      const wasThere = about.some((each) => byName.get(each)!.wasThere);
      const mayBeGivenIt = verb !== "redact" && (wasThere || result !== answer.result);
      const fingerprint = mayBeGivenIt ? FORGOTTEN : answer.fingerprint;
      const set = difference({ ...answer }, { fingerprint, result });
      const where = sql`author = ${author} and verb = ${verb} and key = ${key}`;
      if (set) found.push({ table: "keys", set, where, about });
    }
  return found;
}

/** The refs of the records that a kept answer is about, and not only names beside others; a line's is the ref alone. */
function toldOf(answer: unknown): unknown[] {
  if (typeof answer === "string") return [answer];
  if (typeof answer !== "object" || answer === null) return [];
  const { ref: one = [], refs = [] } = answer as { ref?: string; refs?: string[] };
  const within = Object.values(answer).filter((each) => typeof each === "object");
  return [one, refs, within.map(toldOf)].flat(2);
}

/** A slug in the place of an entry's own, which is a name too: it stays one, and the only one of its scope. */
async function freeSlug(on: Sql, number: number): Promise<string> {
  for (let tries = 1; ; tries++) {
    const slug = `redacted-h${number}${tries === 1 ? "" : `-${tries}`}`;
    const taken = await first(
      on,
      sql`select 1 as one from history_entries where slug = ${slug} and number <> ${number}
        and scope = (select scope from history_entries where number = ${number})`,
    );
    if (!taken) return slug;
  }
}

/** The values that differ, or undefined when none does. */
function difference(before: Row, after: Row): Row | undefined {
  const changed = Object.keys(after).filter((column) => after[column] !== before[column]);
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((column) => [column, after[column]!]));
}
