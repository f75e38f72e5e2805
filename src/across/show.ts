import * as v from "valibot";
import { showing } from "../cli/args";
import { defineVerb, word, type Verb } from "../cli/define";
import { checkInput } from "../cli/input";
import { EXAMPLES, ref, type Numbered } from "../ref";
import { anyRef } from "./ref";

/** The `show` of each surface: this one only finds the right one. */
const SHOWS: Record<Numbered, () => Promise<{ default: Verb }>> = {
  letter: () => import("../surfaces/letter/show"),
  request: () => import("../surfaces/request/show"),
  todo: () => import("../surfaces/todo/show"),
  history: () => import("../surfaces/history/show"),
  queue: () => import("../surfaces/queue/show"),
  "fan-out": () => import("../surfaces/queue/show"),
};

export default defineVerb({
  about: "show any record by its ref",
  examples: ["coop show T14", "coop show L12 --raw"],
  args: {
    ref: { ...word(v.string(), "REF", `such as ${EXAMPLES}`), ref: "any" },
    ...showing,
  },
  run: async ({ ref: text, raw }, context) => {
    const found = anyRef(text);
    const show = (await SHOWS[found.surface]()).default;
    const [place] = Object.keys(show.args);
    const given = { [place!]: ref(found.surface, found.number), ...(raw && { raw }) };
    return show.run(checkInput(show, given, ["show"]), context);
  },
});
