import { letterMove } from "./move";

export default letterMove("start", {
  about: "begin work on a letter: unread, read → working; one of many that try wins",
  body: "a word on how you begin",
  examples: ["coop --as claude-code-pippa letter start L12"],
});
