import { CoopError } from "../../../errors";
import { ref } from "../../../ref";
import { find } from "../../../store/records";
import { among, join, sql, type Row, type Sql } from "../../../store/sql";
import type { Writing } from "../../../store/write";
import { TODOS, type TodoRow } from "./todos";

/**
 * Adds and removes what a todo comes after, and gives the refs before and after where that changes them.
 * @throws CoopError not_found, conflict cycle.
 */
export async function relink(
  { tx, warn }: Writing,
  { number }: TodoRow,
  after: readonly number[],
  notAfter: readonly number[],
): Promise<{ before: Row; after: Row } | undefined> {
  await requireThere(tx, [...after, ...notAfter]);
  const rows = await tx.all<{ after: number }>(
    sql`select after from todo_after where todo = ${number} order by after`,
  );
  const before = new Set(rows.map((row) => row.after));
  const removed = new Set(notAfter).intersection(before);
  const added = new Set(after).difference(before);
  for (const other of new Set(notAfter).difference(before))
    warn("not_after", `${ref("todo", number)} did not come after ${ref("todo", other)}`);
  if (removed.size > 0)
    await tx.all(
      sql`delete from todo_after where todo = ${number} and ${among("after", [...removed])}`,
    );
  await requireNoCycle(tx, number, added);
  await addLinks(tx, number, added);
  if (removed.size + added.size === 0) return undefined;
  const now = before.difference(removed).union(added);
  return { before: { after: refs(before) }, after: { after: refs(now) } };
}

const refs = (numbers: ReadonlySet<number>) =>
  numbers.size === 0
    ? null
    : [...numbers]
        .toSorted((a, b) => a - b)
        .map((number) => ref("todo", number))
        .join(",");

/** Lets a todo come after others, none of which it came after. */
export async function addLinks(tx: Sql, todo: number, after: ReadonlySet<number>): Promise<void> {
  if (after.size === 0) return;
  const values = [...after].map((other) => sql`(${todo}, ${other})`);
  await tx.all(sql`insert into todo_after (todo, after) values ${join(values)}`);
}

/** @throws CoopError not_found, for the first of them that is not there. */
export async function requireThere(on: Sql, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await find(on, TODOS, number);
}

/**
 * Refuses to let a todo come after others that themselves come after it.
 * @throws CoopError conflict cycle, whose message spells the shortest way round.
 */
async function requireNoCycle(tx: Sql, todo: number, added: ReadonlySet<number>): Promise<void> {
  if (added.size === 0) return;
  const links = await tx.all<{ todo: number; after: number }>(sql`
    with recursive reached (todo, after) as (
      select todo, after from todo_after where ${among("todo", [...added])}
      union
      select link.todo, link.after from reached join todo_after as link on link.todo = reached.after
      where reached.after <> ${todo})
    select todo, after from reached`);
  const way = shortestWay([...[...added].map((after) => ({ todo, after })), ...links], todo);
  if (!way) return;
  const [own, last] = [todo, way.at(-2)!].map((number) => ref("todo", number));
  throw new CoopError("conflict", `${own} would wait on itself: ${spelt(way)}`, {
    reason: "cycle",
    ref: own!,
    ...(own !== last && {
      hint: `coop todo edit ${last} --not-after ${own} undoes the last link`,
    }),
  });
}

/** A way round by its refs, the middle of a long one as how many it has. */
function spelt(way: readonly number[]): string {
  const names = way.map((number) => ref("todo", number));
  const middle = names.length - 2 * ENDS;
  const shown =
    middle > 1 ? [...names.slice(0, ENDS), `(${middle} more)`, ...names.slice(-ENDS)] : names;
  return shown.join(" → ");
}

const ENDS = 8;

/** The shortest way along links from a todo back to itself, both ends included; undefined when there is none. */
function shortestWay(
  links: readonly { todo: number; after: number }[],
  round: number,
): number[] | undefined {
  const next = Map.groupBy(links, ({ todo }) => todo);
  const cameFrom = new Map<number, number>();
  const queue = [round];
  for (const todo of queue) {
    for (const { after } of next.get(todo) ?? []) {
      if (cameFrom.has(after)) continue;
      cameFrom.set(after, todo);
      queue.push(after);
    }
  }
  if (!cameFrom.has(round)) return undefined;
  const back = [round];
  do back.push(cameFrom.get(back.at(-1)!)!);
  while (back.at(-1) !== round);
  return back.reverse();
}
