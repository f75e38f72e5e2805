import { todoMove } from "./move";

export default todoMove("reopen", {
  about: "open a finished todo again: done, dropped → open",
  body: "why",
  examples: ['coop --as codex-pippa todo reopen T14 --reason "the fix did not hold"'],
});
