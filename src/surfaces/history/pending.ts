import { answer } from "../../cli/answer";
import { listing } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { listQuery, listText, partOf } from "../../cli/listing";
import { ENTRIES, listEntries } from "./store";
import { entryLine } from "./text";

const { status: _, ...args } = listing(ENTRIES);

export default defineVerb({
  about: "list the entries that wait for their commit",
  examples: ["coop history pending", "coop history pending --from claude-code-pippa --all-scopes"],
  args,
  run: async (input, context) => {
    const store = await context.store();
    const query = await listQuery({ ...input, status: ["pending"] }, context, store, ENTRIES);
    const listed = {
      ...(await listEntries(store, query)),
      // By its state it always is.
      narrowed: input.from !== undefined || input.since !== undefined,
    };
    return answer(
      { entries: listed.rows },
      (data, view) =>
        listText("pending entries", { ...listed, rows: data.entries }, entryLine, view),
      partOf(listed),
    );
  },
});
