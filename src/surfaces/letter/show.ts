import { shower } from "../../cli/show";
import { findLetter } from "./store";
import { letterText } from "./text";

export default shower(
  { surface: "letter", find: findLetter, text: letterText },
  {
    about: "show a letter; changes nothing, so it stays unread",
    examples: ["coop letter show L12", "coop letter show L12 --raw > letter.md"],
  },
);
