import { todoMove } from "./move";

export default todoMove("stop", {
  about: "put a todo back: doing, blocked → open; it stays whose it is",
  body: "why, or how far it got",
  examples: ['coop --as codex-pippa todo stop T14 --note "parser done, tests left"'],
});
