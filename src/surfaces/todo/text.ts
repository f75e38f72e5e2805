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
import type { Todo } from "./store";

const whose = ({ to }: Todo) => to !== null && `@${inline(to)}`;

/** What it waits on: the first few, or all. */
const waits = ({ ref, waits_on }: Todo, { storeFlag }: View, all = false) =>
  waits_on.length > 0 &&
  `waits on ${all ? waits_on.join(", ") : firstFew(waits_on, onStore(`coop show ${ref}`, storeFlag))}`;

/** One line: `T45 open p1 3h @codex-pippa: Fix parser`; with a whole title, and all that it waits on, where all is shown. */
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
    (whole ? fullHeading : heading)(todo.title, todo.body),
  );

/** What an addition or a move answers: `T14 open p2: Fix parser`, then what it waits on. */
export function todoMoved(todo: Todo, view: View): string {
  const { ref, state, priority, title, body } = todo;
  const waiting = waits(todo, view);
  return lines(
    titled(line(ref, state, `p${priority}`, whose(todo)), heading(title, body)),
    waiting && `${ref} ${waiting}`,
  );
}

/** A todo in full. */
export const todoText = (todo: Todo, view: View) =>
  lines(
    todoLine(todo, view, true),
    line(`from ${inline(todo.author)}`, todo.after.length > 0 && `after ${todo.after.join(", ")}`),
    todo.body !== "" && fenced(todo.body),
    todo.note !== null && `note:\n${fenced(todo.note)}`,
  );
