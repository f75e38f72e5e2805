import { written } from "../../cli/answer";
import { changing, note, record } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { moveLetter } from "./store";
import { letterMoved } from "./text";

/** A verb that moves a letter and may say why. */
export const letterMove = (
  verb: Parameters<typeof moveLetter>[1],
  { about, body, examples }: { about: string; body: string; examples: readonly string[] },
) =>
  defineVerb({
    about,
    examples,
    args: { letter: record("letter"), body: note(body), ...changing },
    run: async ({ letter, ifVersion, body: said }, context) =>
      written(
        await context.write((writing) =>
          moveLetter(writing, verb, { number: letter, ifVersion }, said),
        ),
        letterMoved,
      ),
  });
