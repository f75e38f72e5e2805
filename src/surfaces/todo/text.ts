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

const waits = ({ ref, waits_on }: Todo) =>
  waits_on.length > 0 && `waits on ${firstFew(waits_on, `show ${ref}`)}`;

/** One line: `T45 open p1 3h @codex-pippa: Fix parser`. */
export const todoLine = (todo: Todo, view: View, called = heading): string =>
  titled(
    line(
      todo.ref,
      todo.state,
      `p${todo.priority}`,
      ages(view, todo),
      scopeTag(view, todo),
      whose(todo),
      waits(todo),
    ),
    called(todo.title, todo.body),
  );

/** What an addition or a move answers: `T14 open p2: Fix parser`, then what it waits on. */
export function todoMoved(todo: Todo): string {
  const { ref, state, priority, title, body } = todo;
  const waiting = waits(todo);
  return lines(
    titled(line(ref, state, `p${priority}`, whose(todo)), heading(title, body)),
    waiting && `${ref} ${waiting}`,
  );
}

/** A todo in full. */
export const todoText = (todo: Todo, view: View) =>
  lines(
    todoLine(todo, view, fullHeading),
    line(`from ${inline(todo.author)}`, todo.after.length > 0 && `after ${todo.after.join(", ")}`),
    todo.body !== "" && fenced(todo.body),
    todo.note !== null && `note:\n${fenced(todo.note)}`,
  );
