import { appendEvents } from "../../../store/events";
import { combinations, firstNumbers, mostUrgent, oneOf, oneOfStates } from "../../../store/listing";
import { requireState, target, type Target } from "../../../store/moves";
import { change, conflict } from "../../../store/records";
import { sql, type Fragment } from "../../../store/sql";
import type { Writing } from "../../../store/write";
import { LONGEST } from "../../../words";
import { ITEMS, placeChoices, toItem, type Item, type ItemRow, type Place } from "./items";

/**
 * The numbers of the items that an id would take next, its own and anyone's: by priority, then the oldest. Each half
 * comes in order from an index and ends at `most`; asked for both at once, the engine would sort all that waits.
 */
const nextFor = (id: string, place: Place, most: number): Fragment =>
  firstNumbers(
    ITEMS.name,
    combinations([
      oneOfStates(ITEMS, ["waiting"]),
      oneOf("addressee", [id, ""]),
      ...placeChoices(place),
    ]),
    mostUrgent(most),
  );

const MIB = 1024 * 1024;

/** How many bytes of payload are taken at once. */
const MOST_BYTES = 16 * MIB;

const SURELY_FIT = MOST_BYTES / LONGEST.text;

/** How many of the next items have no more bytes in all than are taken at once; as many as asked where all fit. */
async function howManyFit({ tx, actor }: Writing, place: Place, most: number): Promise<number> {
  const sizes = await tx.all<{ bytes: number }>(
    sql`select octet_length(payload) as bytes from queue_items
      where number in (${nextFor(actor.id, place, most)}) order by priority, number`,
  );
  let left = MOST_BYTES;
  const fit = sizes.findIndex(({ bytes }) => (left -= bytes) < 0);
  return fit < 0 ? most : Math.max(1, fit);
}

/**
 * Takes up to `most` items for the speaker, in the order of {@link nextFor}; none when nothing waits. Of large payloads it
 * takes fewer, one at least: they are all in memory and in the answer at once.
 */
export async function take(writing: Writing, place: Place, most: number): Promise<Item[]> {
  const { tx, actor, at } = writing;
  const few = most <= SURELY_FIT ? most : await howManyFit(writing, place, most);
  const rows = await tx.all<ItemRow>(sql`update queue_items
    set state = 'taken', taken_by = ${actor.id}, taken_at = ${at}, version = version + 1, updated_at = ${at}
    where number in (${nextFor(actor.id, place, few)}) returning *`);
  if (rows.length === 0) return [];
  if (few < most)
    writing.warn(
      "taken_fewer",
      `only ${few} of ${most}: with the next one their payloads would be more than ${MOST_BYTES / MIB} MiB; take again for more`,
    );
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
    throw await conflict(writing, ITEMS, row, {
      reason: "claimed",
      says: `is for ${row.addressee} alone`,
      columns: ["addressee"],
    });
  return toItem(
    await change<ItemRow>(writing, ITEMS, row, "take", {
      state: "taken",
      taken_by: id,
      taken_at: writing.at,
    }),
  );
}
