import { CoopError } from "../errors";
import { ref, SURFACES, type Ref, type Surface } from "../ref";
import { shellWord } from "../shell";
import { archivedInto, wasGiven } from "./archived";
import { appendEvents } from "./events";
import type { Store } from "./open";
import { closingMarks, setMeta } from "./schema";
import { target } from "./moves";
import type { RecordRow, Table } from "./records";
import { among, assignments, join, raw, seeWhole, sql, type Sql } from "./sql";
import { commonSpellings, quoted } from "./spelling";
import { findIn, type Which } from "./erasable";
import { tableName, TEXTS } from "./tables";
import { eraser, tombstone } from "./tombstone";
import { makeDurable, type Writing } from "./write";

/** How many texts were replaced, and where: in the record, in its events, in the answers that keys keep. */
export interface Replaced {
  record: number;
  events: number;
  keys: number;
}

/**
 * Replaces one text wherever people wrote it in some records, or without one all that they wrote there, by a tombstone: in
 * each record, in what was said about it, in its events and in the answers that keys keep. The event of it says who and
 * when, not what. Where there is nothing to replace, the record and the log stay as they are. Of a record that is not there any more one text
 * is replaced in what is left of it.
 * @returns the version of each record; null where one is not there any more.
 * @throws CoopError not_found, conflict version; unavailable: damaged, and access where rows are hidden from this user.
 */
export async function redact(
  writing: Writing,
  which: readonly Which[],
  { text, ifVersion }: { text: string | undefined; ifVersion?: number | undefined },
): Promise<{ versions: (number | null)[]; replaced: Replaced }> {
  const { tx, actor, at } = writing;
  await seeWhole(tx);
  const rows: (RecordRow | undefined)[] = [];
  for (const each of which) rows.push(await recordOf(writing, each, { text, ifVersion }));
  const { places, keys } = await findIn(tx, which, text, tombstone(actor.id, at));
  const [record, events] = [
    places.flatMap((each) => each.record),
    places.flatMap((each) => each.events),
  ];
  for (const { table, set, where } of [...record, ...events, ...keys])
    await tx.all(sql`update ${raw(table)} set ${assignments(set)} where ${where}`);
  if (record.length + events.length + keys.length === 0) await makeDurable(tx, at);
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
  await tx.all(sql`update ${raw(tableName(surface))} set version = ${version}, updated_at = ${at}
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
 * Opens a store that is closed to commands that write (it was moved, or is an archive or a backup) to a transaction that
 * redacts: the settings that close it are taken away when that begins, and put back when it ends. That this host wrote to
 * it is not noted there.
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

function tableOf(surface: Surface): Table {
  const { table: name, stateOf } = TEXTS[surface];
  return { surface, name, finished: [], ...(stateOf && { stateOf }), long: [] };
}

/** What a payload is follows from its text. */
const isText = (column: string) => column !== "payload_type";
