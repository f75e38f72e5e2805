import { CoopError } from "../../errors";
import { ref } from "../../ref";
import { among, join, sql, type Row, type Sql } from "../../store/sql";
import {
  choicesOf,
  combinations,
  count,
  firstNumbers,
  inOrder,
  list,
  mostUrgent,
  only,
  oneOf,
  oneOfStates,
  stateIn,
  type Count,
  type Filter,
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

export const STATES = ["open", "doing", "blocked", "done", "dropped"] as const;
export const UNFINISHED = ["open", "doing", "blocked"] as const;
const FINISHED = ["done", "dropped"] as const;

export const TODOS: Listable = {
  surface: "todo",
  name: "todos",
  states: STATES,
  finished: FINISHED,
  long: ["body", "note"],
};

const MOVES = {
  start: { from: ["open", "blocked"], to: "doing" },
  stop: { from: ["doing", "blocked"], to: "open" },
  block: { from: ["open", "doing"], to: "blocked" },
  done: { from: UNFINISHED, to: "done" },
  drop: { from: UNFINISHED, to: "dropped" },
  reopen: { from: FINISHED, to: "open" },
} as const satisfies Record<string, MoveRule>;

export interface TodoRow extends RecordRow {
  state: string;
  addressee: string | null;
  priority: number;
  title: string;
  body: string;
  note: string | null;
}

export interface Todo extends RecordHead {
  state: string;
  /** Whose it is; null for nobody's. */
  to: string | null;
  /** 0 is first, 4 is last. */
  priority: number;
  title: string;
  body: string;
  /** What was said with its last move. */
  note: string | null;
  /** The todos that it comes after. */
  after: string[];
  /** Those of them that are unfinished; none once it is finished itself. */
  waits_on: string[];
}

/** That one todo comes after another, and whether the other is still unfinished. */
interface Link extends Row {
  todo: number;
  after: number;
  unfinished: number;
}

const toTodo = (row: TodoRow, links: readonly Link[]): Todo => ({
  ...head(TODOS, row),
  state: row.state,
  to: row.addressee,
  priority: row.priority,
  title: row.title,
  body: row.body,
  note: row.note,
  after: links.map(({ after }) => ref("todo", after)),
  waits_on: TODOS.finished.includes(row.state)
    ? []
    : links.filter(({ unfinished }) => unfinished).map(({ after }) => ref("todo", after)),
});

/** Few enough for every engine's limit on bound values, and more than a list shows unless all are asked for. */
const TODOS_A_STATEMENT = 1000;

async function withLinks(on: Sql, rows: readonly TodoRow[]): Promise<Todo[]> {
  const linksOf = new Map(rows.map(({ number }) => [number, [] as Link[]]));
  const numbers = [...linksOf.keys()];
  for (let from = 0; from < numbers.length; from += TODOS_A_STATEMENT) {
    const links = await on.all<Link>(sql`
      select link.todo, link.after, case when earlier.${stateIn(UNFINISHED)} then 1 else 0 end as unfinished
      from todo_after as link join todos as earlier on earlier.number = link.after
      where ${among("link.todo", numbers.slice(from, from + TODOS_A_STATEMENT))}
      order by link.todo, link.after`);
    for (const link of links) linksOf.get(link.todo)!.push(link);
  }
  return rows.map((row) => toTodo(row, linksOf.get(row.number)!));
}

async function withItsLinks(on: Sql, row: TodoRow): Promise<Todo> {
  const [todo] = await withLinks(on, [row]);
  return todo!;
}

export interface Draft {
  scope: string;
  /** Whose it is; null for nobody's. */
  to: string | null;
  priority: number;
  title: string;
  body: string;
  /** Numbers of todos that it comes after. */
  after: readonly number[];
}

/**
 * Adds a todo.
 * @throws CoopError not_found, for a todo to come after that is not there.
 */
export async function addTodo(
  writing: Writing,
  { scope, to, priority, title, body, after }: Draft,
): Promise<Todo> {
  await requireThere(writing.tx, after);
  const [row] = await create<TodoRow>(writing, TODOS, "add", [
    { scope, state: "open", addressee: to, priority, title, body, note: null },
  ]);
  if (after.length === 0) return toTodo(row!, []);
  await addLinks(writing.tx, row!.number, new Set(after));
  return withItsLinks(writing.tx, row!);
}

/**
 * Starts, stops, blocks, finishes, drops or reopens a todo. Starting one that is nobody's takes it, and one that waits
 * on unfinished todos warns of them.
 * @throws CoopError not_found, conflict state, conflict version; conflict claimed when starting another's.
 */
export async function moveTodo(
  writing: Writing,
  verb: keyof typeof MOVES,
  which: Target,
  note: string | undefined,
): Promise<Todo> {
  const row = await target<TodoRow>(writing, TODOS, which);
  const { from, to } = MOVES[verb];
  await requireState(writing, TODOS, row, from);
  if (verb === "start") await requireNotAnothers(writing, row);
  const moved = await change<TodoRow>(writing, TODOS, row, verb, {
    state: to,
    note: note ?? null,
    ...(verb === "start" && { addressee: writing.actor.id }),
  });
  const todo = await withItsLinks(writing.tx, moved);
  if (verb === "start" && todo.waits_on.length > 0)
    writing.warn(
      "waits",
      `${todo.ref} waits on ${todo.waits_on.join(", ")}, still unfinished: started all the same`,
    );
  return todo;
}

async function requireNotAnothers(writing: Writing, row: TodoRow): Promise<void> {
  if (row.addressee === null || row.addressee === writing.actor.id) return;
  throw await conflict(
    writing,
    TODOS,
    row,
    "claimed",
    `is ${row.addressee}'s and ${row.state}`,
    `coop todo assign ${ref("todo", row.number)} --to me`,
  );
}

/**
 * Gives an unfinished todo to an id, or with null to nobody; its state stays.
 * @throws CoopError not_found, conflict state, conflict version.
 */
export async function assignTodo(
  writing: Writing,
  which: Target,
  to: string | null,
): Promise<Todo> {
  const row = await target<TodoRow>(writing, TODOS, which);
  await requireState(writing, TODOS, row, UNFINISHED);
  return withItsLinks(
    writing.tx,
    await change<TodoRow>(writing, TODOS, row, "assign", { addressee: to }),
  );
}

/** What an edit changes; what is undefined stays. */
export interface Edit {
  title?: string | undefined;
  body?: string | undefined;
  priority?: number | undefined;
  /** Numbers of todos that it comes after too. */
  after?: readonly number[] | undefined;
  /** Numbers of todos that it comes after no more. */
  notAfter?: readonly number[] | undefined;
}

/**
 * Changes a todo's words, priority and what it comes after, in any state.
 * @throws CoopError not_found, also for a todo to come after; conflict cycle, conflict version.
 */
export async function editTodo(
  writing: Writing,
  which: Target,
  { title, body, priority, after = [], notAfter = [] }: Edit,
): Promise<Todo> {
  const { tx } = writing;
  const row = await target<TodoRow>(writing, TODOS, which);
  const links = await relink(writing, row, after, notAfter);
  const edited = await change<TodoRow>(
    writing,
    TODOS,
    row,
    "edit",
    {
      ...(title !== undefined && { title }),
      ...(body !== undefined && { body }),
      ...(priority !== undefined && { priority }),
    },
    links,
  );
  return withItsLinks(tx, edited);
}

/** Adds and removes what a todo comes after, and gives the refs before and after where that changes them. */
async function relink(
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

async function addLinks(tx: Sql, todo: number, after: ReadonlySet<number>): Promise<void> {
  if (after.size === 0) return;
  const values = [...after].map((other) => sql`(${todo}, ${other})`);
  await tx.all(sql`insert into todo_after (todo, after) values ${join(values)}`);
}

async function requireThere(on: Sql, numbers: readonly number[]): Promise<void> {
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
  const way = [round];
  do way.unshift(cameFrom.get(way[0]!)!);
  while (way[0] !== round);
  return way;
}

/** @throws CoopError not_found. */
export const findTodo = async (on: Sql, number: number) =>
  withItsLinks(on, await find<TodoRow>(on, TODOS, number));

/** What lists of todos can be narrowed by, besides what every list can. */
export interface OwnFilter {
  priorities?: readonly number[] | undefined;
}

export async function listTodos(
  on: Sql,
  query: ListQuery,
  { priorities }: OwnFilter = {},
): Promise<Listed<Todo>> {
  const own = priorities ? [oneOf("priority", priorities)] : [];
  const listed = await list<TodoRow>(on, TODOS, query, own);
  return { ...listed, rows: await withLinks(on, listed.rows) };
}

/** Todos that can be started now. */
export interface Ready {
  todos: Todo[];
  total: Count;
}

const NOTHING_UNFINISHED_BEFORE = sql`not exists (
  select 1 from todo_after as link join todos as earlier on earlier.number = link.after
  where link.todo = todos.number and earlier.${stateIn(UNFINISHED)})`;

/** The open todos with nothing unfinished before them, by priority, then oldest first; `limit` 0 is all. */
export async function readyTodos(
  on: Sql,
  { scope, addressees }: Filter,
  limit: number,
): Promise<Ready> {
  const choices = [
    oneOfStates(TODOS, ["open"]),
    ...choicesOf({ scope, addressees }),
    only(NOTHING_UNFINISHED_BEFORE),
  ];
  const order = mostUrgent(limit);
  const numbers = firstNumbers(TODOS.name, combinations(choices), order);
  const rows = await on.all<TodoRow>(
    sql`select * from todos where number in (${numbers}) ${inOrder(order)}`,
  );
  const all = limit === 0 || rows.length < limit;
  return {
    todos: await withLinks(on, rows),
    total: all ? { count: rows.length, exact: true } : await count(on, TODOS.name, choices),
  };
}
