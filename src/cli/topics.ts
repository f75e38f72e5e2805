import { answer } from "./answer";
import { defineVerb } from "./define";
import { inline } from "./text";
import { isKnown } from "../store/events";
import { describe } from "../store/location";

export default defineVerb({
  about: "say who you are here: id, scope and store",
  examples: ["coop --as claude-code-pippa whoami"],
  args: {},
  run: async (_input, context) => {
    const store = await context.store();
    const id = context.speaker ?? null;
    await context.warnUnknown(store, [context.speaker]);
    const me = {
      id,
      known: id !== null && (await isKnown(store, id)),
      scope: await context.scope(),
      store: describe(store.location),
    };
    return answer(me, ({ scope, store: path }) =>
      [
        id === null ? "nobody: put --as ID first, or set PIPPA_COOP_ID" : inline(id),
        scope === "" ? "no scope" : `scope ${inline(scope)}`,
        `store ${inline(path)}`,
      ].join("\n"),
    );
  },
});
