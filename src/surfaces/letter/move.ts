import { moving } from "../../cli/move";
import { moveLetter } from "./store";
import { letterMoved } from "./text";

/** A verb that moves a letter and may say why. */
export const letterMove = moving({ surface: "letter", move: moveLetter, text: letterMoved });
