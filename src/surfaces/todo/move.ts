import { moving } from "../../cli/move";
import { moveTodo } from "./store";
import { todoMoved } from "./text";

/** A verb that moves a todo and may say why. */
export const todoMove = moving({ surface: "todo", move: moveTodo, text: todoMoved });
