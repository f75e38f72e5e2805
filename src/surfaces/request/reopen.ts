import { requestMove } from "./move";

export default requestMove("reopen", {
  about: "open a closed request again: done, declined, cancelled → open, waiting on the addressee",
  body: "why, kept in the thread",
  examples: ['coop --as claude-code-pippa request reopen R3 --reason "it crashes again"'],
});
