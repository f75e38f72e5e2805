import { written } from "../../cli/answer";
import { changing, optionalBody, record, requireChange } from "../../cli/args";
import { defineVerb, flag } from "../../cli/define";
import { kind, title } from "../../words";
import { editRequest, findRequest, type Edit } from "./store";
import { requestMoved } from "./text";

export default defineVerb({
  about: "change a request's title, text or kind, in any state",
  examples: [
    'coop --as claude-code-pippa request edit R3 --title "Parser crashes on empty input"',
    "coop --as claude-code-pippa request edit R3 --edit",
  ],
  args: {
    request: record("request"),
    title: flag(title, "TITLE", "what it is about"),
    body: optionalBody("what is asked"),
    kind: flag(kind, "KIND", "help, delegation, question, review or any other word"),
    ...changing,
  },
  editing: async ({ request }, context) => (await findRequest(await context.store(), request)).body,
  run: async ({ request, ifVersion, title: name, body, kind: sort }, context) => {
    const edit: Edit = { title: name, body, kind: sort };
    requireChange("request", { ...edit });
    return written(
      await context.write((writing) => editRequest(writing, { number: request, ifVersion }, edit)),
      requestMoved,
    );
  },
});
