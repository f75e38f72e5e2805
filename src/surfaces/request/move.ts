import { moving } from "../../cli/move";
import { moveRequest } from "./store";
import { requestMoved } from "./text";

/** A verb that moves a request and may say something in its thread. */
export const requestMove = moving({ surface: "request", move: moveRequest, text: requestMoved });
