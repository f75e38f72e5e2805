import type { Surface } from "../ref";
import type { Sql } from "../store/sql";
import { answer, type Answer } from "./answer";
import { record, showing } from "./args";
import { defineVerb } from "./define";

/** How a surface shows a record. */
interface Showing<R extends { body: string }> {
  surface: Surface;
  find(on: Sql, number: number): Promise<R>;
  text: Answer<R>["text"];
}

/** What makes the verb that shows a surface's record, which a ref alone names. */
export const shower = <R extends { body: string }>(
  { surface, find, text }: Showing<R>,
  { about, examples }: { about: string; examples: readonly string[] },
) =>
  defineVerb({
    about,
    examples,
    args: { [surface]: record(surface), ...showing },
    run: async (input, context) => {
      const number = input[surface as keyof typeof input] as unknown as number;
      const found = await find(await context.store(), number);
      return answer(found, text, input.raw ? { raw: found.body } : {});
    },
  });
