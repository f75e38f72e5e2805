import { itemMove } from "./move";

export default itemMove("release", {
  about: "put an item back for others to take: taken → waiting",
  examples: [
    'coop --as codex-pippa queue release Q9 --reason "out of context"',
    "coop --as claude-code-pippa queue release Q9 --from codex-pippa",
  ],
});
