import { written } from "../../cli/answer";
import { changing, note, record } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { moveTodo } from "./store";
import { todoMoved } from "./text";

/** A verb that moves a todo and may say why. */
export const todoMove = (
  verb: Parameters<typeof moveTodo>[1],
  { about, body, examples }: { about: string; body: string; examples: readonly string[] },
) =>
  defineVerb({
    about,
    examples,
    args: { todo: record("todo"), body: note(body), ...changing },
    run: async ({ todo, ifVersion, body: said }, context) =>
      written(
        await context.write((writing) =>
          moveTodo(writing, verb, { number: todo, ifVersion }, said),
        ),
        todoMoved,
      ),
  });
