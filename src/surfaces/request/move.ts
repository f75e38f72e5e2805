import { written } from "../../cli/answer";
import { changing, note, record } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { moveRequest } from "./store";
import { requestMoved } from "./text";

/** A verb that moves a request and may say something in its thread. */
export const requestMove = (
  verb: Parameters<typeof moveRequest>[1],
  { about, body, examples }: { about: string; body: string; examples: readonly string[] },
) =>
  defineVerb({
    about,
    examples,
    args: { request: record("request"), body: note(body), ...changing },
    run: async ({ request, ifVersion, body: said }, context) =>
      written(
        await context.write((writing) =>
          moveRequest(writing, verb, { number: request, ifVersion }, said),
        ),
        requestMoved,
      ),
  });
