import { requestMove } from "./move";
import { requestBegun } from "./text";

export default requestMove("accept", {
  about: "take a request on: open → accepted by you; one of many that try wins",
  body: "a word to the asker, kept in the thread",
  examples: ['coop --as codex-pippa request accept R3 --body "on it, tests first"'],
  text: requestBegun,
});
