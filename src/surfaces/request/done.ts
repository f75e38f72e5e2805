import { requestMove } from "./move";

export default requestMove("done", {
  about: "finish a request: open, accepted → done",
  body: "the result, kept in the thread",
  examples: ['coop --as codex-pippa request done R3 --body "fixed in abc1234"'],
});
