import * as v from "valibot";
import { changing } from "../../cli/args";
import type { Context } from "../../cli/context";
import { flag, word } from "../../cli/define";
import { looksLikeRef, parseRef } from "../../ref";
import type { Sql } from "../../store/sql";
import { id, queueName, refOf } from "../../words";
import { isUsed, queueNames, type HeldTarget } from "./store";

/** The item that a verb is about. */
export const item = {
  ...word(refOf("queue"), "ITEM", "the item's ref, such as Q12"),
  ref: "queue",
} as const;

/** What every verb takes that another's hold on an item can stand in the way of. */
export const holding = {
  from: flag(id, "ID", "who holds it, if it is another: you act in its place"),
  ...changing,
} as const;

/** The item that a verb is about, and who holds it as far as its user knows. */
export const heldItem = (
  {
    item: number,
    ifVersion,
    from,
  }: { item: number; ifVersion?: number | undefined; from?: string | undefined },
  context: Context,
): HeldTarget => ({ number, ifVersion, from: from && context.resolveId(from) });

/** An item, or all items of a push to several. */
export const itemOrFanOut = {
  ...word(
    v.lazy((given) =>
      parseRef(String(given))?.surface === "fan-out"
        ? v.pipe(
            refOf("fan-out"),
            v.transform((fanOut) => ({ fanOut })),
          )
        : v.pipe(
            refOf("queue"),
            v.transform((number) => ({ item: number })),
          ),
    ),
    "ITEM",
    "an item's ref, such as Q12, or that of a push to several, such as F2",
  ),
  ref: "queue",
} as const;

/** A queue's name, or one item's number. */
export const queueOrItem = v.lazy((given) =>
  looksLikeRef(String(given)) ? refOf("queue") : queueName,
);

/** The scope that items are narrowed to: only the one named on the command line, since queues span projects. */
export const scopeFilter = ({ settings }: Context) =>
  settings.scopeFlag ? settings.scope : undefined;

/** Warns of a queue that was never used, naming the nearest that was. */
export async function warnUnknownQueue(
  context: Context,
  on: Sql,
  queue: string | undefined,
): Promise<void> {
  if (queue === undefined || (await isUsed(on, queue))) return;
  const { likeness } = await import("../../cli/unknown");
  const like = likeness(queue, await queueNames(on), "queue");
  if (like !== undefined)
    context.warn("unknown_queue", `the queue '${queue}' was never used; ${like}`);
}
