import {
  choicesOf,
  combinations,
  countOnce,
  countElsewhere,
  cut,
  firstNumbers,
  inOrder,
  list,
  mostUrgent,
  oneMore,
  oneOf,
  oneOfStates,
  only,
  type Count,
  type Choice,
  type Listed,
  type ListQuery,
} from "../../../store/listing";
import { sql, type Sql } from "../../../store/sql";
import { NOTHING_UNFINISHED_BEFORE, TODOS, withLinks, type Todo, type TodoRow } from "./todos";

/** What lists of todos can be narrowed by, besides what every list can. */
export interface OwnFilter {
  priorities?: readonly number[] | undefined;
}

/** Todos, newest first. */
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
  truncated: boolean;
  /** How many are ready in other scopes, where that is asked. */
  elsewhere: Count | undefined;
}

/** The open todos with nothing unfinished before them, by priority, then oldest first. */
export async function readyTodos(
  on: Sql,
  { filter: { scope, addressees }, slice: { limit }, countsElsewhere }: ListQuery,
): Promise<Ready> {
  const ready = (choices: readonly Choice[]) => [
    oneOfStates(TODOS, ["open"]),
    ...choices,
    only(NOTHING_UNFINISHED_BEFORE),
  ];
  const choices = ready(choicesOf({ scope, addressees }));
  const order = mostUrgent(oneMore(limit));
  const numbers = firstNumbers(TODOS.name, combinations(choices), order);
  const found = await on.all<TodoRow>(
    sql`select * from todos where number in (${numbers}) ${inOrder(order)}`,
  );
  const { rows, truncated } = cut(found, limit);
  return {
    todos: await withLinks(on, rows),
    total: truncated
      ? await countOnce(on, TODOS.name, choices)
      : { count: rows.length, exact: true },
    truncated,
    elsewhere: countsElsewhere
      ? await countElsewhere(on, TODOS.name, scope, ready(choicesOf({ addressees })))
      : undefined,
  };
}
