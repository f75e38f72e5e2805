import { onStore } from "../../cli/on-store";
import {
  ages,
  fenced,
  fullHeading,
  heading,
  inline,
  line,
  lines,
  scopeTag,
  titled,
  type View,
} from "../../cli/text";
import { firstFew } from "../../few";
import type { MovedTodo, Todo, TodoInOrder } from "./store";

const whose = ({ to }: Todo) => to !== null && `@${inline(to)}`;

/** What it waits on: the first few, or all. */
const waits = ({ ref, waits_on }: Todo, view: View, all = false) =>
  waits_on.length > 0 && `waits on ${all ? waits_on.join(", ") : few(waits_on, ref, view)}`;

/** The first few refs, and which todo shows all. */
const few = (refs: readonly string[], of: string, { storeFlag }: View) =>
  firstFew(refs, onStore(`coop show ${of}`, storeFlag));

/**
 * One line: `T45 open p1 3h @codex-pippa: Fix parser`, with a `…` where details are left out and why it is blocked; with a
 * whole title, and all that it waits on, where all is shown.
 */
export const todoLine = (todo: Todo, view: View, whole = false): string =>
  titled(
    line(
      todo.ref,
      todo.state,
      `p${todo.priority}`,
      ages(view, todo),
      scopeTag(view, todo),
      whose(todo),
      waits(todo, view, whole),
    ),
    whole ? fullHeading(todo.title, todo.body) : shortened(todo),
  );

function shortened({ state, title, body, note }: Todo): string {
  const called = heading(title, body);
  const whole = body === "" || called.endsWith("…") ? called : `${called}…`;
  return state === "blocked" && note !== null ? `${whole} (${heading("", note)})` : whole;
}

/** What an addition or a move answers: `T14 open p2: Fix parser`, then what it waits on. */
export function todoMoved(todo: MovedTodo, view: View): string {
  const { ref, state, priority, title, body, frees } = todo;
  const waiting = waits(todo, view);
  return lines(
    titled(
      line(ref, state, `p${priority}`, scopeTag(view, todo), whose(todo)),
      heading(title, body),
    ),
    waiting && `${ref} ${waiting}`,
    frees && frees.length > 0 && `waits on nothing now: ${few(frees, ref, view)}`,
  );
}

/** The same with its details, for whoever begins it. */
export const todoBegun = (todo: Todo, view: View) => lines(todoMoved(todo, view), details(todo));

/** A todo in full. */
export const todoText = (todo: TodoInOrder, view: View) =>
  lines(
    todoLine(todo, view, true),
    line(
      `from ${inline(todo.author)}`,
      todo.after.length > 0 && `after ${todo.after.join(", ")}`,
      todo.before.length > 0 && `before ${todo.before.join(", ")}`,
    ),
    details(todo),
  );

const details = ({ body, note }: Todo) =>
  lines(body !== "" && fenced(body), note !== null && `note:\n${fenced(note)}`);
