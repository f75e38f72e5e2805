import { ref } from "../../../ref";
import { ADDRESSED } from "../../../store/addressed";
import { stateIn, type Listable } from "../../../store/listing";
import { find, head, type RecordHead, type RecordRow } from "../../../store/records";
import { among, and, inBatches, sql, type Fragment, type Row, type Sql } from "../../../store/sql";

/** The states in which a todo is still to be done. */
export const UNFINISHED = ADDRESSED.todos.states;
/** The states in which nothing more is to be done. */
export const FINISHED = ["done", "dropped"] as const;
/** Every state of a todo. */
export const STATES = [...UNFINISHED, ...FINISHED] as const;

/** The table of todos. */
export const TODOS: Listable = {
  surface: "todo",
  name: "todos",
  states: STATES,
  finished: FINISHED,
  long: ["body", "note"],
};

/** A todo as its table has it. */
export interface TodoRow extends RecordRow {
  state: string;
  addressee: string | null;
  priority: number;
  title: string;
  body: string;
  note: string | null;
}

/** A todo, in JSON's words. */
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

/** A todo with what comes after it. */
export interface TodoInOrder extends Todo {
  /** The unfinished todos that come after it. */
  before: string[];
}

/** That one todo comes after another, and whether the other is still unfinished. */
interface Link extends Row {
  todo: number;
  after: number;
  unfinished: number;
}

/** A todo, of its row and what it comes after. */
export const toTodo = (row: TodoRow, links: readonly Link[]): Todo => ({
  ...head(TODOS, row),
  state: row.state,
  to: row.addressee,
  priority: row.priority,
  title: row.title,
  body: row.body,
  note: row.note,
  after: links.map(({ after }) => ref("todo", after)),
  waits_on:
    links.length === 0 || TODOS.finished.includes(row.state)
      ? []
      : links.filter(({ unfinished }) => unfinished).map(({ after }) => ref("todo", after)),
});

/** Todos with what they come after, in the order of their rows. */
export async function withLinks(on: Sql, rows: readonly TodoRow[]): Promise<Todo[]> {
  const linksOf = new Map(rows.map(({ number }) => [number, [] as Link[]]));
  for (const numbers of inBatches(rows.map(({ number }) => number))) {
    const links = await on.all<Link>(sql`
      select link.todo, link.after, case when earlier.${stateIn(UNFINISHED)} then 1 else 0 end as unfinished
      from todo_after as link join todos as earlier on earlier.number = link.after
      where ${among("link.todo", numbers)}
      order by link.todo, link.after`);
    for (const link of links) linksOf.get(link.todo)!.push(link);
  }
  return rows.map((row) => toTodo(row, linksOf.get(row.number)!));
}

/** One todo with what it comes after. */
export async function withItsLinks(on: Sql, row: TodoRow): Promise<Todo> {
  const [todo] = await withLinks(on, [row]);
  return todo!;
}

/** @throws CoopError not_found. */
export async function findTodo(on: Sql, number: number): Promise<TodoInOrder> {
  const todo = await withItsLinks(on, await find<TodoRow>(on, TODOS, number));
  return { ...todo, before: await unfinishedAfter(on, number, []) };
}

/** That nothing unfinished is before a row of todos. */
export const NOTHING_UNFINISHED_BEFORE = sql`not exists (
  select 1 from todo_after as link join todos as earlier on earlier.number = link.after
  where link.todo = todos.number and earlier.${stateIn(UNFINISHED)})`;

/** The unfinished todos that come after one, of those that meet more conditions. */
export async function unfinishedAfter(
  on: Sql,
  number: number,
  more: readonly Fragment[],
): Promise<string[]> {
  const rows = await on.all<{ number: number }>(sql`
    select todos.number from todo_after as own join todos on todos.number = own.todo
    where ${and([sql`own.after = ${number}`, sql`todos.${stateIn(UNFINISHED)}`, ...more])} order by own.todo`);
  return rows.map((row) => ref("todo", row.number));
}
