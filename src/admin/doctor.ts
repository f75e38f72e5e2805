import { answer } from "../cli/answer";
import { defineVerb } from "../cli/define";
import { onStore } from "../cli/on-store";
import { inline, lines } from "../cli/text";
import { EXITS } from "../errors";
import { ownPath } from "../files";
import type { Check } from "./doctor/check";
import { serverChecks } from "./doctor/server";
import { sqliteChecks } from "./doctor/sqlite";

export default defineVerb({
  unscoped: "all",
  about: "look at the store and all around it: ok, warn or fail, and what to do; changes nothing",
  examples: ["coop doctor", "coop doctor --json"],
  notes: `Exit 0, or 6 if something fails. --json: {"checks":[{name,status,message,fix}]}.`,
  args: {},
  run: async (_input, context) => {
    const location = context.settings.location();
    const found =
      location.engine === "sqlite"
        ? await sqliteChecks(ownPath(location.path), context)
        : await serverChecks(location, context);
    const { storeFlag } = context.settings;
    const checks = found.map(({ fix, ...rest }) => ({
      ...rest,
      fix: fix && onStore(fix, storeFlag),
    }));
    const failing = checks.some(({ status }) => status === "fail");
    return answer(
      { checks },
      (data) => lines(data.checks.map(checkLine)),
      failing ? { exit: EXITS.unavailable } : {},
    );
  },
});

/** One line: `warn space: 312 MB free, and the store has 200 MB; free some space`. */
function checkLine({ name, status, message, fix }: Check): string {
  return inline(`${status} ${name}: ${message}${fix === null ? "" : `; ${fix}`}`);
}
