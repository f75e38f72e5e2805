import type { Surface } from "../ref";
import type { Target } from "../store/moves";
import type { Writing } from "../store/write";
import { written, type Answer } from "./answer";
import { changing, note, record } from "./args";
import { defineVerb } from "./define";

/** How a surface moves a record, and what that answers. */
export interface Moving<V extends string, R> {
  surface: Surface;
  move(writing: Writing, verb: V, which: Target, said: string | undefined): Promise<R>;
  text: Answer<R>["text"];
}

/** One of its moves. */
interface MoveDefinition<R> {
  about: string;
  /** What the words are that may go with it. */
  body: string;
  examples: readonly string[];
  /** What it answers, where that is more than other moves do. */
  text?: Answer<R>["text"];
}

/** What makes the verbs that move a surface's records and may say why. */
export const moving =
  <V extends string, R>({ surface, move, text }: Moving<V, R>) =>
  (verb: V, { about, body, examples, text: own = text }: MoveDefinition<R>) =>
    defineVerb({
      about,
      examples,
      args: { [surface]: record(surface), body: note(body), ...changing },
      run: async (input, context) => {
        const { ifVersion, body: said } = input;
        const number = input[surface as keyof typeof input] as unknown as number;
        return written(
          await context.write((writing) => move(writing, verb, { number, ifVersion }, said)),
          own,
        );
      },
    });
