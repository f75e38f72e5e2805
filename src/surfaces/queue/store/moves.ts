import { ref } from "../../../ref";
import { shellWord } from "../../../shell";
import { requireState, target, type MoveRule, type Target } from "../../../store/moves";
import { change, conflict, wrote } from "../../../store/records";
import { sql } from "../../../store/sql";
import type { Writing } from "../../../store/write";
import { FINISHED, ITEMS, toItem, UNFINISHED, type Item, type ItemRow, type State } from "./items";

const MOVES = {
  done: { from: ["taken"], to: "done" },
  release: { from: ["taken"], to: "waiting" },
  // Also one that nobody took: whom it is for may be gone.
  drop: { from: UNFINISHED, to: "dropped" },
  reopen: { from: FINISHED, to: "waiting" },
} as const satisfies Record<string, MoveRule>;

const REPLIABLE = ["waiting", "taken", "done"] as const;

/** Which item a command changes, and whom its user knows to hold it, if it is another. */
export interface HeldTarget extends Target {
  from?: string | undefined;
}

/**
 * The item a command is about, in a state that it may be in and held by nobody else.
 * @param onward what the speaker can do with one that waits for it where it may not.
 * @throws CoopError not_found, conflict version, conflict state, conflict claimed.
 */
async function held(
  writing: Writing,
  which: HeldTarget,
  allowed: readonly State[],
  onward?: string,
): Promise<ItemRow> {
  const row = await target<ItemRow>(writing, ITEMS, which);
  const isMine = ["", writing.actor.id].includes(row.addressee);
  const waits = row.state === "waiting" && isMine;
  await requireState(writing, ITEMS, row, allowed, waits ? onward : undefined);
  const holder = row.state === "taken" ? row.taken_by : null;
  const { from } = which;
  if (from === undefined ? holder === null || holder === writing.actor.id : holder === from)
    return row;
  throw await conflict(writing, ITEMS, row, {
    reason: "claimed",
    says:
      from === undefined
        ? `is ${row.state}`
        : `is ${row.state}, ${holder === null ? "and nobody holds it" : `but not by ${from}`}`,
    hint:
      holder === null || holder === writing.actor.id
        ? "leave --from out"
        : `--from ${shellWord(holder)}, if you mean to act in its place`,
  });
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
  const take = `coop queue take ${ref("queue", which.number)}`;
  const row = await held(writing, which, MOVES.done.from, take);
  if (said !== undefined) await say(writing, row, said);
  return moved(writing, row, "done", note, said);
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
  said?: string,
): Promise<Item> {
  const { to } = MOVES[verb];
  const changes = {
    state: to,
    note: note ?? null,
    ...(to === "waiting" && { taken_by: null, taken_at: null }),
  };
  return toItem(await change<ItemRow>(writing, ITEMS, row, verb, changes, wrote("reply", said)));
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
