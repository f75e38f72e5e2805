import { firstFew } from "../../../few";
import { ref } from "../../../ref";
import { requireState, saidWith, target, type MoveRule, type Target } from "../../../store/moves";
import { change, conflict, create } from "../../../store/records";
import type { Writing } from "../../../store/write";
import { addLinks, relink, requireThere } from "./after";
import {
  FINISHED,
  NOTHING_UNFINISHED_BEFORE,
  toTodo,
  TODOS,
  UNFINISHED,
  unfinishedAfter,
  withItsLinks,
  type Todo,
  type TodoRow,
} from "./todos";

const MOVES = {
  start: { from: ["open", "blocked"], to: "doing" },
  stop: { from: ["doing", "blocked"], to: "open" },
  block: { from: ["open", "doing"], to: "blocked" },
  done: { from: UNFINISHED, to: "done" },
  drop: { from: UNFINISHED, to: "dropped" },
  reopen: { from: FINISHED, to: "open" },
} as const satisfies Record<string, MoveRule>;

/** What a new todo says. */
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

/** A todo that was moved. */
export interface MovedTodo extends Todo {
  /** Of one that was finished the unfinished todos that wait on nothing now. */
  frees?: string[];
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
): Promise<MovedTodo> {
  const row = await target<TodoRow>(writing, TODOS, which);
  const { from, to } = MOVES[verb];
  const name = ref("todo", row.number);
  const isOwn = row.state === "doing" && row.addressee === writing.actor.id;
  const goOn =
    verb === "start" && isOwn ? `it is yours: go on, or coop todo stop ${name}` : undefined;
  await requireState(writing, TODOS, row, from, goOn);
  if (verb === "start") await requireNotAnothers(writing, row);
  const moved = await change<TodoRow>(writing, TODOS, row, verb, {
    state: to,
    note: saidWith(verb, note),
    ...(verb === "start" && { addressee: writing.actor.id }),
  });
  const todo = await withItsLinks(writing.tx, moved);
  if (verb === "start" && todo.waits_on.length > 0)
    writing.warn(
      "waits",
      `${todo.ref} waits on ${firstFew(todo.waits_on, `coop show ${todo.ref}`)}, still unfinished: started all the same`,
    );
  const whose = row.addressee;
  if (row.state === "doing" && whose !== null && whose !== writing.actor.id)
    writing.warn(
      "not_yours",
      `${name} is ${whose}'s and was doing; if another was meant: ${TODOS.finished.includes(to) ? `coop todo reopen ${name}, and ` : ""}${whose} can start it again`,
    );
  if (!TODOS.finished.includes(to)) return todo;
  const frees = await unfinishedAfter(writing.tx, row.number, [NOTHING_UNFINISHED_BEFORE]);
  return { ...todo, frees };
}

async function requireNotAnothers(writing: Writing, row: TodoRow): Promise<void> {
  if (row.addressee === null || row.addressee === writing.actor.id) return;
  throw await conflict(writing, TODOS, row, {
    reason: "claimed",
    says: `is ${row.addressee}'s and ${row.state}`,
    hint: `coop todo assign ${ref("todo", row.number)} --to me, if you mean to take it over`,
    columns: ["addressee"],
  });
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
    { title, body, priority },
    links,
  );
  return withItsLinks(tx, edited);
}
