import { requestMove } from "./move";

export default requestMove("decline", {
  about: "say no to a request: open, accepted → declined",
  body: "why, kept in the thread",
  examples: ['coop --as codex-pippa request decline R3 --reason "no access to that server"'],
});
