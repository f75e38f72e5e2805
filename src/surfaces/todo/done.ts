import { todoMove } from "./move";

export default todoMove("done", {
  about: "finish a todo: open, doing, blocked → done; names what waits on nothing now",
  body: "the result",
  examples: ['coop --as codex-pippa todo done T14 --note "in abc1234"'],
});
