import { listing } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { listAnswer, listQuery } from "../../cli/listing";
import { ENTRIES, listEntries } from "./store";
import { entryLine } from "./text";

export default defineVerb({
  about: "list history entries, newest first",
  examples: ["coop history list --since 3d", "coop history list --from codex-pippa --all-scopes"],
  args: listing(ENTRIES),
  run: async (input, context) => {
    const store = await context.store();
    return listAnswer(
      "history entries",
      await listEntries(store, await listQuery(input, context, store, ENTRIES)),
      entryLine,
    );
  },
});
