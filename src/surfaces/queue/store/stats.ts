import { timestamp } from "../../../time";
import { skipScan } from "../../../store/distinct";
import { counted, toCount, type Count } from "../../../store/listing";
import { and, join, raw, sql, type Sql } from "../../../store/sql";
import { ITEMS, STATES, type Place, type State } from "./items";

/** How many items of a queue are in each state. */
export interface QueueStats {
  queue: string;
  counts: Record<State, Count>;
  /** When the oldest waiting item was pushed. */
  oldest_waiting_at: string | null;
}

/** How full queues are, by name; of one scope, only those that have items of it. */
export async function stats(on: Sql, { queue, scope }: Place): Promise<QueueStats[]> {
  const inState = (state: State) =>
    and([
      raw(`items.queue = found.value and items.state = '${state}'`),
      ...(scope === undefined ? [] : [sql`items.scope = ${scope}`]),
    ]);
  const counts = STATES.map(
    (state) =>
      sql`${counted([sql`queue_items as items where ${inState(state)}`])} as ${raw(state)}`,
  );
  const rows = await on.all<StatsRow>(
    sql`with recursive ${skipScan(ITEMS.name, "queue")} select value as queue, ${join(counts)},
      (select created_at from queue_items as items where ${inState("waiting")} order by number limit 1) as oldest
      from found where ${queue === undefined ? raw("value is not null") : sql`value = ${queue}`}`,
  );
  return rows
    .filter((row) => STATES.some((state) => row[state] !== 0))
    .sort((one, other) => (one.queue < other.queue ? -1 : 1))
    .map(toStats);
}

/** How many items of a queue are in each state; null where that is more than is counted. */
type StatsRow = Record<State, number | null> & { queue: string; oldest: number | null };

const toStats = ({ queue, oldest, ...found }: StatsRow): QueueStats => ({
  queue,
  counts: Object.fromEntries(STATES.map((state) => [state, toCount(found[state])])) as Record<
    State,
    Count
  >,
  oldest_waiting_at: oldest === null ? null : timestamp(oldest),
});
