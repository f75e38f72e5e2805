import { usage } from "../../errors";
import { answer } from "../../cli/answer";
import { showing } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { itemOrFanOut } from "./args";
import { findFanOut, findInFull } from "./store";
import { fanOutText, itemInFull } from "./text";

export default defineVerb({
  about: "show an item with its replies, or the items of a push to several",
  examples: ["coop queue show Q9", "coop queue show F2", "coop queue show Q9 --raw > payload.json"],
  args: { item: itemOrFanOut, ...showing },
  run: async ({ item: asked, raw }, context) => {
    const store = await context.store();
    if ("item" in asked) {
      const found = await findInFull(store, asked.item);
      return answer(found, itemInFull, raw ? { raw: found.payload } : {});
    }
    if (raw) throw usage("--raw is for one item", "name it by its own ref");
    return answer(await findFanOut(store, asked.fanOut), fanOutText);
  },
});
