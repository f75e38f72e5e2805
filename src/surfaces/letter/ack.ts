import { letterMove } from "./move";

export default letterMove("ack", {
  about: "finish a letter: unread, read, working → done",
  body: "the acknowledgement, kept with the letter",
  examples: ['coop --as claude-code-pippa letter ack L12 --body "got it. shipped in abc1234"'],
});
