import { answer } from "../../cli/answer";
import { assigned, listing } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { elsewhereText, listQuery, restText } from "../../cli/listing";
import { countText, inline, line, lines, type View } from "../../cli/text";
import { readyTodos, TODOS, type Todo } from "./store";
import { todoLine } from "./text";

const { limit, allScopes } = listing(TODOS);

export default defineVerb({
  about: "list the todos that can be started now, most urgent first, then oldest",
  examples: ["coop todo ready --limit 1", "coop --as codex-pippa todo ready --mine --nobody"],
  notes: `Ready is what is open and has nothing unfinished before it; a dropped one counts as finished. Starts nothing: that
is \`coop todo start\`.`,
  args: { ...assigned, limit, allScopes },
  run: async (input, context) => {
    const store = await context.store();
    const query = await listQuery(input, context, store, TODOS, true);
    const { scope } = query.filter;
    const { todos, total, truncated, elsewhere } = await readyTodos(store, query);
    const rest = truncated
      ? `${todos.length} of ${countText(total)} ready: --limit 0 for all`
      : undefined;
    const text = ({ todos: shown }: { todos: Todo[] }, view: View) =>
      lines(
        shown.length === 0 && line("nothing ready", scope && `in ${inline(scope)}`),
        shown.map((todo) => todoLine(todo, view)),
        rest,
        elsewhereText(elsewhere),
      );
    return answer({ todos }, text, {
      total,
      truncated,
      elsewhere,
      rest: restText(rest, elsewhere),
    });
  },
});
