import { answer } from "../../cli/answer";
import { defineVerb } from "../../cli/define";
import { itemOrFanOut } from "./args";
import { answers } from "./store";
import { answersText } from "./text";

export default defineVerb({
  about: "see what was replied to an item or to each of a push to several, and who is missing",
  examples: ["coop queue replies F2", "coop queue replies Q9"],
  notes: `An item is answered by a reply from whom it is for or who took it; otherwise it is done, dropped, taken or waiting.
The last two are missing.`,
  args: { item: itemOrFanOut },
  run: async ({ item: asked }, context) =>
    answer(await answers(await context.store(), asked), answersText),
});
