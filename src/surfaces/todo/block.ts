import { todoMove } from "./move";

export default todoMove("block", {
  about: "say that a todo cannot go on: open, doing → blocked",
  body: "what it needs",
  examples: ['coop --as codex-pippa todo block T14 --reason "needs the staging password"'],
});
