import { CoopError } from "../../errors";
import { ref } from "../../ref";
import { timestamp } from "../../time";
import { nextNumber } from "../../store/counters";
import { appendEvents } from "../../store/events";
import {
  keptAnswers,
  keyConflict,
  rememberAll,
  type IdempotencyKey,
  type Kept,
} from "../../store/keys";
import { among, and, join, raw, sql, type Fragment, type Row, type Sql } from "../../store/sql";
import {
  anyOf,
  atMost,
  combinations,
  count,
  COUNT_STOP,
  firstNumbers,
  list,
  mostUrgent,
  only,
  oneOf,
  oneOfStates,
  stateIn,
  type Choice,
  type Listable,
  type Listed,
  type ListQuery,
} from "../../store/listing";
import { requireState, target, type MoveRule, type Target } from "../../store/moves";
import {
  change,
  conflict,
  create,
  find,
  head,
  type RecordHead,
  type RecordRow,
} from "../../store/records";
import type { Writing } from "../../store/write";

export const STATES = ["waiting", "taken", "done", "dropped"] as const;
export const UNFINISHED = ["waiting", "taken"] as const;
const FINISHED = ["done", "dropped"] as const;

export type State = (typeof STATES)[number];

export const ITEMS: Listable = {
  surface: "queue",
  name: "queue_items",
  states: STATES,
  finished: FINISHED,
  long: ["payload"],
};

const MOVES = {
  done: { from: ["taken"], to: "done" },
  release: { from: ["taken"], to: "waiting" },
  // Also one that nobody took: whom it is for may be gone.
  drop: { from: UNFINISHED, to: "dropped" },
  reopen: { from: FINISHED, to: "waiting" },
} as const satisfies Record<string, MoveRule>;

const REPLIABLE = ["waiting", "taken", "done"] as const;

export interface ItemRow extends RecordRow {
  state: State;
  queue: string;
  /** '' for anyone. */
  addressee: string;
  priority: number;
  payload: string;
  payload_type: PayloadType;
  fan_out: number | null;
  re: number | null;
  taken_by: string | null;
  taken_at: number | null;
  note: string | null;
}

export type PayloadType = "json" | "text";

export interface Item extends RecordHead {
  queue: string;
  state: State;
  /** Whom it is for; null for anyone. */
  to: string | null;
  /** 0 is first, 4 last. */
  priority: number;
  /** The string that was pushed, whatever its type. */
  payload: string;
  payload_type: PayloadType;
  /** The push to several that it is a part of. */
  fan_out: string | null;
  /** The item that it is about. */
  re: string | null;
  taken_by: string | null;
  taken_at: string | null;
  /** What was said with its last move. */
  note: string | null;
}

export interface Reply {
  author: string;
  at: string;
  body: string;
}

const refOrNull = (surface: "queue" | "fan-out", number: number | null) =>
  number === null ? null : ref(surface, number);

const toItem = (row: ItemRow): Item => ({
  ...head(ITEMS, row),
  queue: row.queue,
  state: row.state,
  to: row.addressee === "" ? null : row.addressee,
  priority: row.priority,
  payload: row.payload,
  payload_type: row.payload_type,
  fan_out: refOrNull("fan-out", row.fan_out),
  re: refOrNull("queue", row.re),
  taken_by: row.taken_by,
  taken_at: row.taken_at === null ? null : timestamp(row.taken_at),
  note: row.note,
});

/** `json` for a text that parses as JSON, else `text`. */
export function payloadType(payload: string): PayloadType {
  try {
    JSON.parse(payload);
    return "json";
  } catch {
    return "text";
  }
}

export interface Draft {
  scope: string;
  queue: string;
  /** Whom it is for; undefined for anyone. */
  to: string | undefined;
  priority: number;
  payload: string;
  payloadType: PayloadType;
  /** The number of the push to several that it is a part of. */
  fanOut?: number;
  /** The number of the item that it is about. */
  re?: number | undefined;
}

/**
 * Pushes one item.
 * @throws CoopError not_found, for an item to be about that is not there.
 */
export async function push(writing: Writing, draft: Draft): Promise<Item> {
  if (draft.re !== undefined) await find(writing.tx, ITEMS, draft.re);
  const [row] = await insert(writing, [draft]);
  return toItem(row!);
}

/** One push to several: an item for each, under one ref. */
export interface FanOut<I> {
  ref: string;
  queue: string;
  items: I[];
}

/**
 * Pushes the same to several, an item each.
 * @throws CoopError not_found, for an item to be about that is not there.
 */
export async function pushToEach(
  writing: Writing,
  draft: Omit<Draft, "to">,
  to: readonly string[],
): Promise<FanOut<Item>> {
  if (draft.re !== undefined) await find(writing.tx, ITEMS, draft.re);
  const fanOut = await nextNumber(writing.tx, "fan-out");
  const rows = await insert(
    writing,
    to.map((id) => ({ ...draft, to: id, fanOut })),
  );
  return { ref: ref("fan-out", fanOut), queue: draft.queue, items: rows.map(toItem) };
}

/** One of many drafts, with the line that it came from and its key. */
export interface LineDraft extends Draft {
  /** Counted from 1. */
  line: number;
  key: string | undefined;
}

/** The refs of many items in the order of their drafts, and how many of them were pushed before with their keys. */
export interface Pushed {
  refs: string[];
  before: number;
}

/**
 * Pushes many items at once. A draft whose key was used before with the same content stands for the item that was
 * pushed then. `scope` is the one that was named with the command, which is a part of the content.
 * @throws CoopError conflict key, naming the line whose key was used with other content.
 */
export async function pushAll(
  writing: Writing,
  verb: string,
  drafts: readonly LineDraft[],
  scope: string | undefined,
): Promise<Pushed> {
  const author = writing.actor.id;
  const keys = drafts.flatMap(({ key }) => key ?? []);
  const kept = await keptAnswers(writing.tx, { author, verb }, keys);
  const keyed = drafts.map((draft) => ({
    draft,
    key: draft.key === undefined ? undefined : lineKey(author, verb, draft, draft.key, scope),
  }));
  const before = new Map<LineDraft, string>();
  for (const { draft, key } of keyed) {
    const answer = key && kept.get(key.key);
    if (answer) before.set(draft, refOfKept(answer, key, draft.line));
  }
  const fresh = keyed.filter(({ draft }) => !before.has(draft));
  const rows = await insert(
    writing,
    fresh.map(({ draft }) => draft),
  );
  const refOf = (index: number) => ref("queue", rows[index]!.number);
  await rememberAll(
    writing.tx,
    writing.at,
    fresh.flatMap(({ key }, index) => (key ? [[key, refOf(index)] as const] : [])),
  );
  const pushed = new Map(fresh.map(({ draft }, index) => [draft, refOf(index)]));
  return {
    refs: drafts.map((draft) => before.get(draft) ?? pushed.get(draft)!),
    before: before.size,
  };
}

function refOfKept(kept: Kept, key: IdempotencyKey, line: number): string {
  if (kept.fingerprint === key.fingerprint) return String(kept.result);
  throw keyConflict(key, `line ${line}: `);
}

/** A line's key, with a hash of all that makes it the same line again. */
function lineKey(
  author: string,
  verb: string,
  { queue, to, priority, payload, payloadType: type }: LineDraft,
  key: string,
  scope: string | undefined,
): IdempotencyKey {
  const content = JSON.stringify([queue, to ?? null, priority, type, payload, scope ?? null]);
  const fingerprint = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  return { author, verb, key, fingerprint };
}

async function insert(writing: Writing, drafts: readonly Draft[]): Promise<ItemRow[]> {
  if (drafts.length === 0) return [];
  const rows = await create<ItemRow>(
    writing,
    ITEMS,
    "push",
    drafts.map((draft) => ({
      scope: draft.scope,
      state: "waiting",
      queue: draft.queue,
      addressee: draft.to ?? "",
      priority: draft.priority,
      payload: draft.payload,
      payload_type: draft.payloadType,
      fan_out: draft.fanOut ?? null,
      re: draft.re ?? null,
      taken_by: null,
      taken_at: null,
      note: null,
    })),
  );
  return rows;
}

/** Which items are asked for; a part that is undefined does not narrow. */
export interface Place {
  queue?: string | undefined;
  scope?: string | undefined;
}

const placeChoices = ({ queue, scope }: Place): Choice[] => [
  ...(queue === undefined ? [] : [oneOf("queue", [queue])]),
  ...(scope === undefined ? [] : [oneOf("scope", [scope])]),
];

/**
 * The numbers of the items that an id would take next, its own and anyone's: by priority, then the oldest. Each half
 * comes in order from an index and ends at `most`; asked for both at once, the engine would sort all that waits.
 */
export const nextFor = (id: string, place: Place, most: number): Fragment =>
  firstNumbers(
    ITEMS.name,
    combinations([
      oneOfStates(ITEMS, ["waiting"]),
      oneOf("addressee", [id, ""]),
      ...placeChoices(place),
    ]),
    mostUrgent(most),
  );

/** Takes up to `most` items for the speaker, in the order of {@link nextFor}; none when nothing waits. */
export async function take(writing: Writing, place: Place, most: number): Promise<Item[]> {
  const { tx, actor, at } = writing;
  const rows = await tx.all<ItemRow>(sql`update queue_items
    set state = 'taken', taken_by = ${actor.id}, taken_at = ${at}, version = version + 1, updated_at = ${at}
    where number in (${nextFor(actor.id, place, most)}) returning *`);
  if (rows.length === 0) return [];
  rows.sort((one, other) => one.priority - other.priority || one.number - other.number);
  await appendEvents(
    tx,
    actor,
    at,
    rows.map(({ number, version, state, taken_by, taken_at }) => ({
      surface: ITEMS.surface,
      number,
      verb: "take",
      version,
      state,
      before: { state: "waiting", taken_by: null, taken_at: null },
      after: { state, taken_by, taken_at },
    })),
  );
  return rows.map(toItem);
}

/**
 * Takes one very item for the speaker.
 * @throws CoopError not_found; conflict version; conflict state, when it does not wait; conflict claimed, when it is
 * for another.
 */
export async function takeOne(writing: Writing, which: Target): Promise<Item> {
  const { id } = writing.actor;
  const row = await target<ItemRow>(writing, ITEMS, which);
  await requireState(writing, ITEMS, row, ["waiting"]);
  if (row.addressee !== "" && row.addressee !== id)
    throw await conflict(writing, ITEMS, row, "claimed", `is for ${row.addressee} alone`);
  return toItem(
    await change<ItemRow>(writing, ITEMS, row, "take", {
      state: "taken",
      taken_by: id,
      taken_at: writing.at,
    }),
  );
}

/** Which item a command changes, and whom its user knows to hold it, if it is another. */
export interface HeldTarget extends Target {
  from?: string | undefined;
}

/**
 * The item a command is about, in a state that it may be in and held by nobody else.
 * @throws CoopError not_found, conflict version, conflict state, conflict claimed.
 */
async function held(
  writing: Writing,
  which: HeldTarget,
  allowed: readonly State[],
): Promise<ItemRow> {
  const row = await target<ItemRow>(writing, ITEMS, which);
  await requireState(writing, ITEMS, row, allowed);
  const holder = row.state === "taken" ? row.taken_by : null;
  const { from } = which;
  if (from === undefined ? holder === null || holder === writing.actor.id : holder === from)
    return row;
  throw await conflict(
    writing,
    ITEMS,
    row,
    "claimed",
    `is ${row.state}${from === undefined ? "" : `, but not by ${from}`}`,
    holder === null || holder === writing.actor.id
      ? "leave --from out"
      : `--from ${holder}, if you mean to act in its place`,
  );
}

/**
 * Finishes an item that is taken, with a last reply if there is one.
 * @throws CoopError not_found, conflict version, conflict state, conflict claimed.
 */
export async function done(
  writing: Writing,
  which: HeldTarget,
  { reply: said, note }: { reply: string | undefined; note: string | undefined },
): Promise<Item> {
  const row = await held(writing, which, MOVES.done.from);
  if (said !== undefined) await say(writing, row, said);
  return moved(writing, row, "done", note);
}

/**
 * Releases, drops or reopens an item.
 * @throws CoopError not_found, conflict version, conflict state; conflict claimed, when another holds it.
 */
export async function moveItem(
  writing: Writing,
  verb: "release" | "drop" | "reopen",
  which: HeldTarget,
  note: string | undefined,
): Promise<Item> {
  return moved(writing, await held(writing, which, MOVES[verb].from), verb, note);
}

async function moved(
  writing: Writing,
  row: ItemRow,
  verb: keyof typeof MOVES,
  note: string | undefined,
): Promise<Item> {
  const { to } = MOVES[verb];
  return toItem(
    await change<ItemRow>(writing, ITEMS, row, verb, {
      state: to,
      note: note ?? null,
      ...(to === "waiting" && { taken_by: null, taken_at: null }),
    }),
  );
}

/**
 * Replies to an item that is not dropped.
 * @throws CoopError not_found, conflict version, conflict state; conflict claimed, when another holds it.
 */
export async function reply(writing: Writing, which: HeldTarget, body: string): Promise<Item> {
  const row = await held(writing, which, REPLIABLE);
  await say(writing, row, body);
  return toItem(await change<ItemRow>(writing, ITEMS, row, "reply", {}));
}

async function say({ tx, actor, at }: Writing, { number }: ItemRow, body: string): Promise<void> {
  await tx.all(sql`insert into replies (item, at, author, body)
    values (${number}, ${at}, ${actor.id}, ${body})`);
}

/** What became of an item: answered, or else its state. */
export type Status = "answered" | State;

/** An item with its replies, and whether they answer it. */
export interface Answered {
  ref: string;
  queue: string;
  to: string | null;
  state: State;
  taken_by: string | null;
  /** Whether whom it is for, or who took it, replied. */
  answered: boolean;
  status: Status;
  /** Oldest first. */
  replies: Reply[];
}

/** One item, or all of a push to several. */
export type Asked = { item: number } | { fanOut: number };

/**
 * What was replied to an item, or to each of a fan-out.
 * @throws CoopError not_found.
 */
export async function answers(on: Sql, asked: Asked): Promise<Answered[]> {
  const rows = await askedRows(on, asked);
  const replies = await repliesTo(on, asked);
  return rows.map((row) => {
    const { ref: name, queue, to, state, taken_by } = toItem(row);
    const own = replies.get(row.number) ?? [];
    const answered = own.some(({ author }) => author === to || author === taken_by);
    const status = answered ? "answered" : state;
    return { ref: name, queue, to, state, taken_by, answered, status, replies: own };
  });
}

/** @throws CoopError not_found. */
async function askedRows(on: Sql, asked: Asked): Promise<ItemRow[]> {
  if ("item" in asked) return [await find<ItemRow>(on, ITEMS, asked.item)];
  const rows = await on.all<ItemRow>(
    sql`select * from queue_items where ${isAsked(asked)} order by number`,
  );
  if (rows.length > 0) return rows;
  const name = ref("fan-out", asked.fanOut);
  throw new CoopError("not_found", `there is no ${name}`, { ref: name, hint: "coop queue list" });
}

const isAsked = (asked: Asked) =>
  "item" in asked ? sql`number = ${asked.item}` : sql`fan_out = ${asked.fanOut}`;

/** The replies to each item that has some, oldest first. */
async function repliesTo(on: Sql, asked: Asked): Promise<Map<number, Reply[]>> {
  const rows = await on.all<Row & { item: number; author: string; at: number; body: string }>(
    sql`select item, author, at, body from replies
      where item in (select number from queue_items where ${isAsked(asked)}) order by id`,
  );
  const grouped = Map.groupBy(rows, ({ item }) => item);
  const toReply = ({ author, at, body }: (typeof rows)[number]) => ({
    author,
    at: timestamp(at),
    body,
  });
  return new Map(Array.from(grouped, ([item, replies]) => [item, replies.map(toReply)]));
}

/** An item with all that came of it. */
export interface ItemInFull extends Item {
  /** Oldest first. */
  replies: Reply[];
  /** The items that were pushed to be about this one. */
  followed_by: string[];
}

/**
 * An item with its replies and the items that are about it.
 * @throws CoopError not_found.
 */
export async function findInFull(on: Sql, number: number): Promise<ItemInFull> {
  const row = await find<ItemRow>(on, ITEMS, number);
  const replies = await repliesTo(on, { item: number });
  const followers = await on.all<{ number: number }>(
    sql`select number from queue_items where re = ${number} order by number`,
  );
  return {
    ...toItem(row),
    replies: replies.get(number) ?? [],
    followed_by: followers.map((follower) => ref("queue", follower.number)),
  };
}

/**
 * A push to several, with its items.
 * @throws CoopError not_found.
 */
export async function findFanOut(on: Sql, fanOut: number): Promise<FanOut<Item>> {
  const rows = await askedRows(on, { fanOut });
  return { ref: ref("fan-out", fanOut), queue: rows[0]!.queue, items: rows.map(toItem) };
}

/** What lists of items can be narrowed by, besides what every list can. */
export interface OwnFilter {
  queue?: string | undefined;
  priorities?: readonly number[] | undefined;
  takenBy?: readonly string[] | undefined;
}

/** What the index on the addressee holds comes in the order of numbers within each priority. */
const ANY_PRIORITY: Choice = {
  any: raw("1 = 1"),
  each: oneOf("priority", [0, 1, 2, 3, 4]).each,
};

export async function listItems(
  on: Sql,
  query: ListQuery,
  { queue, priorities, takenBy }: OwnFilter = {},
): Promise<Listed<Item>> {
  const own = [
    ...placeChoices({ queue }),
    ...(priorities ? [oneOf("priority", priorities)] : []),
    ...(takenBy ? [oneOf("taken_by", takenBy)] : []),
  ];
  const byPriority = query.filter.addressees && !priorities ? [ANY_PRIORITY] : [];
  const listed = await list<ItemRow>(on, ITEMS, query, own, byPriority);
  return { ...listed, rows: listed.rows.map(toItem) };
}

/** Items that were taken before a time (milliseconds since 1970) and still are, the longest taken first. */
export async function staleItems(
  on: Sql,
  place: Place,
  before: number,
  limit: number,
): Promise<Pick<Listed<Item>, "rows" | "truncated" | "total">> {
  const choices = [
    oneOfStates(ITEMS, ["taken"]),
    only(sql`taken_at < ${before}`),
    ...placeChoices(place),
  ];
  const rows = await on.all<ItemRow>(
    sql`select * from queue_items where ${anyOf(choices)} order by taken_at, number
      ${atMost(limit === 0 ? 0 : limit + 1)}`,
  );
  const truncated = limit > 0 && rows.length > limit;
  return {
    rows: (truncated ? rows.slice(0, limit) : rows).map(toItem),
    truncated,
    total: truncated ? await count(on, ITEMS.name, choices) : { count: rows.length, exact: true },
  };
}

/** Every queue that was ever used. Skips from one name to the next in the index, so it stays quick. */
const NAMES = raw(`names (queue) as (
  select min(queue) from queue_items
  union all
  select (select min(queue) from queue_items where queue > names.queue) from names where names.queue is not null)`);

/** The names of all queues, in no order. */
export async function queueNames(on: Sql): Promise<string[]> {
  const rows = await on.all<{ queue: string }>(
    sql`with recursive ${NAMES} select queue from names where queue is not null`,
  );
  return rows.map(({ queue }) => queue);
}

/** Whether anything was ever pushed to a queue. */
export async function isUsed(on: Sql, queue: string): Promise<boolean> {
  const rows = await on.all(sql`select 1 as used from queue_items where queue = ${queue} limit 1`);
  return rows.length > 0;
}

/** How many items of a queue are in each state, up to where counting stops. */
export interface QueueStats extends Record<State, number> {
  queue: string;
  /** When the oldest waiting item was pushed. */
  oldest_waiting_at: string | null;
  /** There where counting stopped, so that there are more. */
  exact?: false;
}

/** How full queues are, by name; of one scope, only those that have items of it. */
export async function stats(on: Sql, { queue, scope }: Place): Promise<QueueStats[]> {
  const inState = (state: State) =>
    and([
      raw(`items.queue = names.queue and items.state = '${state}'`),
      ...(scope === undefined ? [] : [sql`items.scope = ${scope}`]),
    ]);
  const counts = STATES.map(
    (state) => sql`(select count(*) from
      (select 1 as one from queue_items as items where ${inState(state)} limit ${COUNT_STOP + 1}) as counted)
      as ${raw(state)}`,
  );
  const rows = await on.all<Row & Record<State, number> & { queue: string; oldest: number | null }>(
    sql`with recursive ${NAMES} select queue, ${join(counts)},
      (select created_at from queue_items as items where ${inState("waiting")} order by number limit 1) as oldest
      from names where ${queue === undefined ? raw("queue is not null") : sql`queue = ${queue}`}`,
  );
  return rows
    .filter((row) => STATES.some((state) => row[state] > 0))
    .sort((one, other) => (one.queue < other.queue ? -1 : 1))
    .map(toStats);
}

function toStats(
  row: Record<State, number> & { queue: string; oldest: number | null },
): QueueStats {
  const capped = (state: State): number => Math.min(row[state], COUNT_STOP);
  return {
    queue: row.queue,
    waiting: capped("waiting"),
    taken: capped("taken"),
    done: capped("done"),
    dropped: capped("dropped"),
    oldest_waiting_at: row.oldest === null ? null : timestamp(row.oldest),
    ...(STATES.some((state) => row[state] > COUNT_STOP) && { exact: false }),
  };
}

/** What finished items to move out of the store. */
export interface Archivable extends Place {
  /** Last changed before this, in milliseconds since 1970. */
  before: number;
  /** How many at most; 0 for all. A group is moved whole even where that is more. */
  limit: number;
}

/** Numbers of items, and how many more there are. */
export interface Archiving {
  numbers: number[];
  /** Finished for long, but kept because something that they belong together with is not. */
  kept: number;
  /** Those that the limit leaves for the next time. */
  left: number;
}

/**
 * The items that can be moved out of the store, the oldest groups first. Those of one push to several and those that are
 * about each other are one group, which goes whole or stays whole: no reply loses its question.
 */
export async function archivable(
  on: Sql,
  { before, limit, ...place }: Archivable,
): Promise<Archiving> {
  const moves = and([stateIn(FINISHED), sql`updated_at < ${before}`, anyOf(placeChoices(place))]);
  const candidates = await on.all<{ number: number }>(
    sql`select number from queue_items where ${moves} order by number`,
  );
  const linked = await on.all<Link>(
    sql`select number, fan_out, re, case when ${moves} then 1 else 0 end as moves from queue_items
      where fan_out is not null or re is not null
        or number in (select re from queue_items where re is not null)`,
  );
  const groupOf = groupsOf(linked);
  const stays = new Set(linked.filter(({ moves: ok }) => !ok).map(({ number }) => groupOf(number)));
  const numbers = candidates.map(({ number }) => number);
  const free = numbers.filter((number) => !stays.has(groupOf(number)));
  const groups = Array.from(Map.groupBy(free, groupOf).values());
  const taken: number[] = [];
  for (const group of groups) {
    if (limit > 0 && taken.length > 0 && taken.length + group.length > limit) break;
    taken.push(...group);
  }
  return {
    numbers: taken.sort((one, other) => one - other),
    kept: numbers.length - free.length,
    left: free.length - taken.length,
  };
}

/** An item that belongs together with others, and whether it may be moved. */
interface Link extends Row {
  number: number;
  fan_out: number | null;
  re: number | null;
  moves: number;
}

/** Gives each item's group, as the number of one of its items. */
function groupsOf(links: readonly Link[]): (number: number) => number {
  const parents = new Map<number, number>();
  const top = (number: number): number => {
    let at = number;
    for (let next = parents.get(at); next !== undefined; next = parents.get(at)) at = next;
    if (at !== number) parents.set(number, at);
    return at;
  };
  const unite = (one: number, other: number) => {
    const [a, b] = [top(one), top(other)];
    if (a !== b) parents.set(Math.max(a, b), Math.min(a, b));
  };
  const firstOf = new Map<number, number>();
  for (const { number, fan_out, re } of links) {
    if (re !== null) unite(number, re);
    if (fan_out === null) continue;
    const first = firstOf.get(fan_out);
    if (first === undefined) firstOf.set(fan_out, number);
    else unite(number, first);
  }
  return top;
}

/** Items with all that is kept of them, by their table. */
export interface Contents {
  items: Row[];
  replies: Row[];
  events: Row[];
}

/** Items by their numbers, with their replies and events, each in the order that they came to be. */
export async function contentsOf(on: Sql, numbers: readonly number[]): Promise<Contents> {
  return {
    items: await on.all(
      sql`select * from queue_items where ${among("number", numbers)} order by number`,
    ),
    replies: await on.all(sql`select * from replies where ${among("item", numbers)} order by id`),
    events: await on.all(
      sql`select * from events where surface = ${ITEMS.surface} and ${among("number", numbers)} order by id`,
    ),
  };
}

/** Puts items that another store keeps into this one, and brings those that are there already up to them. */
export async function putContents(tx: Sql, { items, replies, events }: Contents): Promise<void> {
  const numbers = items.map((row) => row["number"]!);
  await tx.all(sql`delete from replies where ${among("item", numbers)}`);
  await tx.all(
    sql`delete from events where surface = ${ITEMS.surface} and ${among("number", numbers)}`,
  );
  const columns = Object.keys(items[0]!);
  const updates = columns.map((column) => sql`${raw(column)} = excluded.${raw(column)}`);
  await insertRows(
    tx,
    "queue_items",
    items,
    sql`on conflict (number) do update set ${join(updates)}`,
  );
  // Their own ids say nothing outside of the store that gave them.
  await insertRows(tx, "replies", replies.map(withoutId));
  await insertRows(tx, "events", events.map(withoutId));
}

function withoutId({ ...row }: Row): Row {
  delete row["id"];
  return row;
}

async function insertRows(
  tx: Sql,
  table: string,
  rows: readonly Row[],
  conflicts: Fragment = raw(""),
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT) {
    const batch = rows.slice(from, from + ROWS_A_STATEMENT);
    const values = batch.map((row) => sql`(${join(Object.values(row))})`);
    await tx.all(sql`insert into ${raw(table)} (${raw(Object.keys(batch[0]!).join(", "))})
      values ${join(values)} ${conflicts}`);
  }
}

/** Few enough that a statement stays under every engine's limit on bound values. */
const ROWS_A_STATEMENT = 500;

/** Removes items with their replies and events; later ones first, since they can be about earlier ones. */
export async function remove(tx: Sql, numbers: readonly number[]): Promise<void> {
  await tx.all(sql`delete from replies where ${among("item", numbers)}`);
  await tx.all(
    sql`delete from events where surface = ${ITEMS.surface} and ${among("number", numbers)}`,
  );
  await tx.all(sql`delete from queue_items where ${among("number", numbers)}`);
}
