import { written } from "../../cli/answer";
import { note } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { heldItem, holding, item } from "./args";
import { moveItem } from "./store";
import { itemMoved } from "./text";

/** A verb that moves an item, unless another holds it, and may say why. */
export const itemMove = (
  verb: "release" | "drop",
  { about, examples }: { about: string; examples: readonly string[] },
) =>
  defineVerb({
    about,
    examples,
    args: { item, body: note("why"), ...holding },
    run: async ({ body, ...which }, context) => {
      const target = heldItem(which, context);
      return written(
        await context.write((writing) => moveItem(writing, verb, target, body)),
        itemMoved,
      );
    },
  });
