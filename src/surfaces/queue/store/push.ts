import { ref } from "../../../ref";
import { nextNumber } from "../../../store/counters";
import {
  keptAnswers,
  keyConflict,
  rememberAll,
  type IdempotencyKey,
  type Kept,
} from "../../../store/keys";
import { create, createAlike, find } from "../../../store/records";
import type { Writing } from "../../../store/write";
import { ITEMS, toItem, type Item, type ItemRow, type PayloadType } from "./items";

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
  const whose = { author: writing.actor.id, verb };
  const keyed = drafts.filter(({ key }) => key !== undefined);
  const kept = await keptAnswers(
    writing.tx,
    whose,
    keyed.map(({ key }) => key!),
  );
  const before = new Map<LineDraft, string>();
  for (const draft of keyed) {
    const answer = kept.get(draft.key!);
    if (answer) before.set(draft, refOfKept(answer, draft, whose, scope));
  }
  const fresh = before.size === 0 ? drafts : drafts.filter((draft) => !before.has(draft));
  const numbers = await insertAll(writing, fresh);
  const refs = numbers.map((number) => ref("queue", number));
  const remembered = fresh.flatMap((draft, index) =>
    draft.key === undefined
      ? []
      : { key: draft.key, fingerprint: contentHash(draft, scope), result: refs[index]! },
  );
  await rememberAll(writing.tx, whose, writing.at, remembered);
  if (before.size === 0) return { refs, before: 0 };
  const pushed = refs.values();
  return {
    refs: drafts.map((draft) => before.get(draft) ?? pushed.next().value!),
    before: before.size,
  };
}

function refOfKept(
  { fingerprint, result }: Kept,
  draft: LineDraft,
  whose: Pick<IdempotencyKey, "author" | "verb">,
  scope: string | undefined,
): string {
  if (fingerprint === contentHash(draft, scope)) return String(result);
  throw keyConflict({ ...whose, key: draft.key! }, `line ${draft.line}: `);
}

/** A hash of all that makes a line with a key the same line again. */
function contentHash(
  { queue, to, priority, payload, payloadType: type }: LineDraft,
  scope: string | undefined,
): string {
  const content = JSON.stringify([queue, to ?? null, priority, type, payload, scope ?? null]);
  return new Bun.CryptoHasher("sha256").update(content).digest("hex");
}

/** Inserts an item for each draft, and gives their numbers in the same order. */
async function insertAll(writing: Writing, drafts: readonly LineDraft[]): Promise<number[]> {
  if (drafts.length === 0) return [];
  return createAlike(
    writing,
    ITEMS,
    "push",
    { state: "waiting" },
    {
      payload: drafts.map(({ payload }) => payload),
      payload_type: drafts.map(({ payloadType: type }) => type),
      addressee: drafts.map(({ to }) => to ?? ""),
      priority: drafts.map(({ priority }) => priority),
      queue: drafts.map(({ queue }) => queue),
      scope: drafts.map(({ scope }) => scope),
    },
  );
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
