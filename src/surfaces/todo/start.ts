import { todoMove } from "./move";
import { todoBegun } from "./text";

export default todoMove("start", {
  about:
    "begin a todo: open, blocked → doing; takes it if it is nobody's; one of many that try wins",
  body: "a word on how you begin",
  examples: ["coop --as codex-pippa todo start T14"],
  text: todoBegun,
});
