import { CoopError } from "../errors";
import { ref, SURFACES, type Ref, type Surface } from "../ref";
import { shellWord } from "../shell";
import { archivedInto, wasGiven } from "./archived";
import { appendEvents } from "./events";
import { keptJson } from "./json";
import { inOrder } from "./listing";
import type { Store } from "./open";
import { pages } from "./pages";
import { closingMarks, setMeta } from "./schema";
import { target } from "./moves";
import type { RecordRow, Table } from "./records";
import { among, first, join, raw, sql, type Fragment, type Row, type Sql, type Value } from "./sql";
import { commonSpellings, quoted } from "./spelling";
import { FORGOTTEN } from "./keys";
import { eraseAbout, eraseIn, eraser, inJson, tombstone, type EraseRow } from "./tombstone";
import type { Writing } from "./write";

/** Where a surface keeps what people write: the columns of its records, and the table of what is said about one. */
interface Texts {
  table: string;
  columns: readonly string[];
  said?: { table: string; of: string };
}

const TEXTS: Record<Surface, Texts> = {
  letter: { table: "letters", columns: ["title", "body", "acknowledgement", "note"] },
  request: {
    table: "requests",
    columns: ["title", "body"],
    said: { table: "request_messages", of: "request" },
  },
  todo: { table: "todos", columns: ["title", "body", "note"] },
  history: { table: "history_entries", columns: ["slug", "title", "body"] },
  queue: {
    table: "queue_items",
    columns: ["payload", "note"],
    said: { table: "replies", of: "item" },
  },
};

/** A record by its number. */
export interface Which {
  surface: Surface;
  number: number;
}

/** How many texts were replaced, and where: in the record, in its events, in the answers that keys keep. */
export interface Replaced {
  record: number;
  events: number;
  keys: number;
}

/**
 * Replaces one text wherever people wrote it in some records, or without one all that they wrote there, by a tombstone: in
 * each record, in what was said about it, in its events and in the answers that keys keep. The event of it says who and
 * when, not what. Where there is nothing to replace, nothing is written. Of a record that is not there any more one text
 * is replaced in what is left of it.
 * @returns the version of each record; null where one is not there any more.
 * @throws CoopError not_found, conflict version; unavailable damaged.
 */
export async function redact(
  writing: Writing,
  which: readonly Which[],
  { text, ifVersion }: { text: string | undefined; ifVersion?: number | undefined },
): Promise<{ versions: (number | null)[]; replaced: Replaced }> {
  const { tx, actor, at } = writing;
  const rows: (RecordRow | undefined)[] = [];
  for (const each of which) rows.push(await recordOf(writing, each, { text, ifVersion }));
  const { places, keys } = await findIn(tx, which, text, tombstone(actor.id, at));
  const [record, events] = [
    places.flatMap((each) => each.record),
    places.flatMap((each) => each.events),
  ];
  for (const { table, set, where } of [...record, ...events, ...keys]) {
    const assignments = Object.entries(set).map(
      ([column, value]) => sql`${raw(column)} = ${value}`,
    );
    await tx.all(sql`update ${raw(table)} set ${join(assignments)} where ${where}`);
  }
  const told = new Set(keys.flatMap(({ about }) => about));
  const versions: (number | null)[] = [];
  for (const [index, { name, wasThere }] of places.entries()) {
    const isChanged = wasThere || told.has(name);
    const row = rows[index];
    versions.push(
      isChanged ? await appendRedaction(writing, which[index]!, row) : (row?.version ?? null),
    );
  }
  const replaced = {
    record: record.flatMap(({ set }) => Object.keys(set).filter(isText)).length,
    events: events.length,
    keys: keys.filter(({ set }) => "result" in set).length,
  };
  return { versions, replaced };
}

/** Puts the event of a redaction into the log, and gives the record's new version; null where it is not there any more. */
async function appendRedaction(
  { tx, actor, at }: Writing,
  { surface, number }: Which,
  row: RecordRow | undefined,
): Promise<number | null> {
  const redacted = { surface, number, verb: "redact" };
  if (!row) {
    const file = await archivedInto(tx, { surface, number });
    const after = { archived_into: file ?? null };
    await appendEvents(tx, actor, at, [{ ...redacted, version: 0, after }]);
    return null;
  }
  const version = row.version + 1;
  await tx.all(sql`update ${raw(TEXTS[surface].table)} set version = ${version}, updated_at = ${at}
    where number = ${number}`);
  await appendEvents(tx, actor, at, [{ ...redacted, version }]);
  return version;
}

/**
 * The record to redact; undefined for one that is not there any more, where a text is named to look for in what is left.
 * @throws CoopError not_found, conflict version.
 */
async function recordOf(
  writing: Writing,
  which: Which,
  { text, ifVersion }: { text: string | undefined; ifVersion?: number | undefined },
): Promise<RecordRow | undefined> {
  const { surface, number } = which;
  try {
    return await target<RecordRow>(writing, tableOf(surface), { number, ifVersion });
  } catch (thrown) {
    const gone = thrown instanceof CoopError && thrown.code === "not_found";
    if (!gone || !(await wasGiven(writing.tx, which))) throw thrown;
    if (text !== undefined && ifVersion === undefined) return undefined;
    const name = ref(surface, number);
    const file = await archivedInto(writing.tx, which);
    const there =
      file === undefined ? "" : `coop --db ${shellWord(file)} redact ${name}, and then `;
    const hint = `${there}coop redact ${name} --text TEXT for what this store still holds of it`;
    throw new CoopError("not_found", thrown.message, { ...thrown.details, hint });
  }
}

/** A store that is closed to commands that write, made open to a redaction. */
export interface Closed {
  store: Store;
  /** The settings that close it. */
  marks: ReadonlyMap<string, string>;
}

/**
 * A store that was moved, an archive or a backup, for a transaction that redacts there: what closes it is away until the
 * end of that. Where it is used from is not kept in it.
 * @returns undefined for a store in use.
 */
export async function closedToRedact(store: Store): Promise<Closed | undefined> {
  const found = await closingMarks(store);
  if (found.length === 0) return undefined;
  return {
    marks: new Map(found.map(({ name, value }) => [name, value])),
    store: {
      ...store,
      requireWritable: () => store.requireWritable(),
      transaction: (work) =>
        store.transaction(async (tx) => {
          const marks = await closingMarks(tx);
          const names = marks.map(({ name }) => name);
          if (names.length > 0) await tx.all(sql`delete from meta where ${among("name", names)}`);
          const done = await work(tx);
          for (const { name, value } of marks) await setMeta(tx, name, value);
          return done;
        }),
    },
  };
}

/** Whether a store still has in some records what {@link redact} would replace. */
export async function holds(
  on: Sql,
  which: readonly Which[],
  text: string | undefined,
): Promise<boolean> {
  const { places, keys } = await findIn(on, which, text, tombstone("?", 0));
  return keys.length > 0 || places.some(({ wasThere }) => wasThere);
}

/** The refs of all records that a text stands in, in one of the forms that programs commonly write it in. */
export async function standsIn(on: Sql, text: string): Promise<string[]> {
  const refs = new Set<string>();
  const has = (column: string, form: string) =>
    sql`replace(${raw(column)}, ${form}, '') <> ${raw(column)}`;
  const either = (columns: readonly string[], forms: readonly string[]) =>
    join(
      columns.flatMap((column) => forms.map((form) => has(column, form))),
      " or ",
    );
  const forms = commonSpellings(text);
  for (const surface of SURFACES) {
    const { table, columns, said } = TEXTS[surface];
    const places = [
      sql`select number from ${raw(table)} where ${either(columns, forms)}`,
      ...(said
        ? [sql`select ${raw(said.of)} from ${raw(said.table)} where ${either(["body"], forms)}`]
        : []),
      sql`select number from events where surface = ${surface} and (${either(["before", "after"], forms.map(quoted))})`,
    ];
    const rows = await on.all<{ number: number }>(
      sql`select distinct number from (${join(places, " union all ")}) as places order by number`,
    );
    for (const { number } of rows) refs.add(ref(surface, number));
  }
  return [...refs];
}

/** The numbers of the items of a push to several. */
export async function itemsOf(on: Sql, fanOut: number): Promise<number[]> {
  const rows = await on.all<{ number: number }>(
    sql`select number from queue_items where fan_out = ${fanOut} order by number`,
  );
  return rows.map(({ number }) => number);
}

/** The refs of the other items of a push to several that one item is of, whose payload is not all gone. */
export async function pushedWith(on: Sql, { surface, number }: Ref): Promise<string[]> {
  if (surface !== "queue") return [];
  // What is longer is no tombstone.
  const payload = sql`case when octet_length(payload) > ${LONGEST_STONE} then null else payload end`;
  const rows = await on.all<{ number: number; payload: string | null }>(
    sql`select number, ${payload} as payload from queue_items where number <> ${number} and fan_out =
      (select fan_out from queue_items where number = ${number}) order by number`,
  );
  const { erase } = eraser(undefined, tombstone("?", 0));
  const holding = rows.filter((row) => row.payload === null || erase(row.payload) !== row.payload);
  return holding.map((row) => ref("queue", row.number));
}

/** More bytes than a tombstone has: an id has up to 200. */
const LONGEST_STONE = 300;

/** The table of a surface's records. */
export const tableName = (surface: Surface) => TEXTS[surface].table;

const tableOf = (surface: Surface): Table => ({
  surface,
  name: tableName(surface),
  finished: [],
  stateOf: ({ state, commit_sha }) =>
    String(state ?? (commit_sha === null ? "pending" : "committed")),
  long: [],
});

/** What a payload is follows from its text. */
const isText = (column: string) => column !== "payload_type";

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
async function findIn(
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
  const one = eraser(text, stone);
  const { table, columns, said } = TEXTS[surface];
  const slug = columns.includes("slug") ? await freeSlug(on, number) : "";
  const erased: EraseRow = (row) => eraseIn(row, columns, one, slug);

  const record: Found[] = [];
  for (const row of await on.all(sql`select * from ${raw(table)} where number = ${number}`)) {
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
  const logged = await on.all<{ id: number; before: string | null; after: string | null }>(
    sql`select id, before, after from events where surface = ${surface} and number = ${number}`,
  );
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
