import { requestMove } from "./move";

export default requestMove("cancel", {
  about: "take your own request back: open, accepted → cancelled; only who asked can",
  body: "why, kept in the thread",
  examples: ['coop --as claude-code-pippa request cancel R3 --reason "found it myself"'],
});
