import { ref } from "../../../ref";
import { nextNumber } from "../../../store/counters";
import {
  FORGOTTEN,
  isSame,
  keptAnswers,
  keyConflict,
  notCompared,
  rememberAll,
  type IdempotencyKey,
  type Kept,
} from "../../../store/keys";
import { create, createAlike, find } from "../../../store/records";
import { makeDurable, type Writing } from "../../../store/write";
import { ITEMS, toItem, type Item, type ItemRow, type PayloadType } from "./items";

/** What a new item says. */
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

/** One of many to push to a queue, with the line that it came from and its key. */
export interface Line extends Pick<Draft, "to" | "priority" | "payload" | "payloadType"> {
  /** Counted from 1. */
  line: number;
  key: string | undefined;
}

/** Where lines are pushed to. */
export interface Destination {
  /** The command that pushes them, to which their keys belong. */
  verb: string;
  queue: string;
  scope: string;
  /** The scope was named with the command, which makes it a part of what a line with a key says. */
  named: boolean;
}

/** The refs of many items in the order of their lines, and how many of them were pushed before with their keys. */
export interface Pushed {
  refs: string[];
  before: number;
}

/**
 * Pushes many items at once. A line whose key was used before with the same content stands for the item that was
 * pushed then.
 * @throws CoopError conflict key, naming the line whose key was used with other content.
 */
export async function pushAll(
  writing: Writing,
  to: Destination,
  lines: readonly Line[],
): Promise<Pushed> {
  const whose = { author: writing.actor.id, verb: to.verb };
  const keyed = lines.filter(({ key }) => key !== undefined);
  const kept = await keptAnswers(
    writing.tx,
    whose,
    keyed.map(({ key }) => key!),
  );
  const before = new Map<Line, string>();
  for (const line of keyed) {
    const answer = kept.get(line.key!);
    if (answer) before.set(line, refOfKept(answer, line, to, whose));
  }
  const forgotten = keyed
    .map(({ key }) => key!)
    .filter((key) => kept.get(key)?.fingerprint === FORGOTTEN);
  if (forgotten.length > 0) {
    const { code, message } = notCompared(forgotten);
    writing.warn(code, message);
  }
  if (before.size === lines.length) await makeDurable(writing.tx, writing.at);
  const fresh = before.size === 0 ? lines : lines.filter((line) => !before.has(line));
  const numbers = await insertLines(writing, to, fresh);
  const refs = numbers.map((number) => ref("queue", number));
  const remembered = fresh.flatMap((line, index) =>
    line.key === undefined
      ? []
      : { key: line.key, fingerprint: contentHash(line, to), result: refs[index]! },
  );
  await rememberAll(writing.tx, whose, writing.at, remembered);
  if (before.size === 0) return { refs, before: 0 };
  const pushed = refs.values();
  return {
    refs: lines.map((line) => before.get(line) ?? pushed.next().value!),
    before: before.size,
  };
}

function refOfKept(
  kept: Kept,
  line: Line,
  to: Destination,
  whose: Pick<IdempotencyKey, "author" | "verb">,
): string {
  if (isSame(kept, contentHash(line, to), true)) return String(kept.result);
  throw keyConflict({ ...whose, key: line.key! }, kept, `line ${line.line}: `);
}

/** A hash of all that makes a line with a key the same line again. */
function contentHash(
  { to, priority, payload, payloadType: type }: Line,
  { queue, scope, named }: Destination,
): string {
  const content = JSON.stringify([
    queue,
    to ?? null,
    priority,
    type,
    payload,
    named ? scope : null,
  ]);
  return new Bun.CryptoHasher("sha256").update(content).digest("hex");
}

/** Inserts an item for each line, and gives their numbers in the same order. */
async function insertLines(
  writing: Writing,
  { queue, scope }: Destination,
  lines: readonly Line[],
): Promise<number[]> {
  if (lines.length === 0) return [];
  return createAlike(
    writing,
    ITEMS,
    "push",
    { state: "waiting", queue, scope },
    {
      payload: lines.map(({ payload }) => payload),
      payload_type: lines.map(({ payloadType: type }) => type),
      addressee: lines.map(({ to }) => to ?? ""),
      priority: lines.map(({ priority }) => priority),
    },
  );
}

const insert = (writing: Writing, drafts: readonly Draft[]): Promise<ItemRow[]> =>
  create<ItemRow>(
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
