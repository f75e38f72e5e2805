import { shower } from "../../cli/show";
import { findTodo } from "./store";
import { todoText } from "./text";

export default shower(
  { surface: "todo", find: findTodo, text: todoText },
  {
    about: "show a todo",
    examples: ["coop todo show T14", "coop todo show T14 --raw > details.md"],
  },
);
