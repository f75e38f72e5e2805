import { todoMove } from "./move";

export default todoMove("drop", {
  about: "give a todo up: open, doing, blocked → dropped; what comes after it need not wait",
  body: "why",
  examples: ['coop --as codex-pippa todo drop T14 --reason "the parser was thrown away"'],
});
