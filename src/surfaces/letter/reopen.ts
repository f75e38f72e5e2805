import { letterMove } from "./move";

export default letterMove("reopen", {
  about: "open a closed letter again: done, abandoned, superseded → unread",
  body: "why",
  examples: ['coop --as claude-code-pippa letter reopen L12 --reason "the fix did not hold"'],
});
