import { itemMove } from "./move";

export default itemMove("drop", {
  about: "give an item up: waiting, taken → dropped",
  examples: ['coop --as codex-pippa queue drop Q9 --reason "the branch is gone"'],
});
