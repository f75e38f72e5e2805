import { addressed, listing } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { listAnswer, listQuery } from "../../cli/listing";
import { LETTERS, listLetters } from "./store";
import { letterLine } from "./text";

export default defineVerb({
  about: "list letters of every state, newest first; changes nothing",
  examples: ["coop --as claude-code-pippa letter list --mine --status unread,read,working"],
  args: { ...listing(LETTERS), ...addressed },
  run: async (input, context) => {
    const store = await context.store();
    return listAnswer(
      "letters",
      await listLetters(store, await listQuery(input, context, store, LETTERS)),
      letterLine,
    );
  },
});
