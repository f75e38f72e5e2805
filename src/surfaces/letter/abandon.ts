import { letterMove } from "./move";

export default letterMove("abandon", {
  about: "give a letter up: unread, read, working → abandoned",
  body: "why",
  examples: [
    'coop --as claude-code-pippa letter abandon L12 --reason "the parser was thrown away"',
  ],
});
