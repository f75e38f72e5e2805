import { shower } from "../../cli/show";
import { findThread } from "./store";
import { requestText } from "./text";

export default shower(
  { surface: "request", find: findThread, text: requestText },
  {
    about: "show a request with its thread",
    examples: ["coop request show R3", "coop request show R3 --raw > request.md"],
  },
);
