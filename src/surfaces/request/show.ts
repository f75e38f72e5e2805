import { answer } from "../../cli/answer";
import { record, showing } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { findThread } from "./store";
import { requestText } from "./text";

export default defineVerb({
  about: "show a request with its thread",
  examples: ["coop request show R3", "coop request show R3 --raw > request.md"],
  args: { request: record("request"), ...showing },
  run: async ({ request, raw }, context) => {
    const found = await findThread(await context.store(), request);
    return answer(found, requestText, raw ? { raw: found.body } : {});
  },
});
