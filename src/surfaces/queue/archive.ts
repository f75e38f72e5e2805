import * as v from "valibot";
import { asCoopError, CoopError, usage } from "../../errors";
import { isSameFile, pathFrom } from "../../files";
import { written } from "../../cli/answer";
import { repeatable } from "../../cli/args";
import { defineVerb, flag, optionalWord, requiredFlag } from "../../cli/define";
import { counted, inline, lines } from "../../cli/text";
import { duration } from "../../time";
import { filePath, length, queueName, whole } from "../../words";
import { isPartOfStore, requireShort } from "../../store/location";
import { requireKnown } from "../../store/schema";
import { moveOut, type Moved } from "./store/move-out";
import { scopeFilter, warnUnknownQueue } from "./args";
import { archivable } from "./store";

const DEFAULT_LIMIT = 10_000;

interface Archived extends Moved {
  archived: number;
  to: string;
  /** Finished for as long, but kept with what they belong to. */
  kept: number;
  /** How many the limit left. */
  left: number;
}

export default defineVerb({
  about: "move items finished long ago out of the store, into a file that is checked first",
  examples: [
    "coop --as dad queue archive --older 90d --to /srv/archive/coop-2026.db",
    "coop --as dad queue archive jobs --older 4w --to jobs.db",
  ],
  notes: `Moves done and dropped items that nobody changed for so long, with their replies and events. They are read back from
the file before they leave the store; a command that is killed leaves them in both, and its repeat goes on. Those of one
push to several, and those about each other (--re), go together or stay. Their refs are never given again. The file may
be an archive of the same store already. It is only for reading, but for redact: coop --db FILE queue show Q9.`,
  args: {
    queue: optionalWord(queueName, "NAME", "the queue (all)"),
    older: requiredFlag(length, "TIME", "last changed longer ago than this (90m, 2h, 90d, 4w)"),
    to: requiredFlag(
      v.pipe(
        filePath("name a file"),
        v.check((file) => !isPartOfStore(file), "SQLite takes that name for its own"),
        v.check((file) => !file.endsWith("/"), "name a file, not a folder"),
      ),
      "FILE",
      "the archive, in a folder that is there",
    ),
    limit: flag(
      whole("a limit", 0, Number.MAX_SAFE_INTEGER),
      "N",
      `how many at once (${DEFAULT_LIMIT}; 0 for all): others wait for so long`,
    ),
    ...repeatable,
  },
  run: async ({ queue, older, to, limit = DEFAULT_LIMIT }, context) => {
    const age = duration(older);
    const file = pathFrom(context.edge.folder, to);
    requireShort(file, "--to");
    const store = await context.store();
    requireKnown(store);
    const path = store.location.engine === "sqlite" ? store.location.path : undefined;
    if (path !== undefined) await requireAnother(file, path);
    let copied = false;
    const moving = context.write(async (writing) => {
      await warnUnknownQueue(context, writing.tx, queue);
      await context.warnUnknownScope(writing.tx, false);
      const place = { queue, scope: scopeFilter(context) };
      const before = writing.at - age;
      const { numbers, kept, left } = await archivable(writing.tx, { ...place, before, limit });
      // Also where nothing is to be moved yet: a wrong place is not to be found out on the day when something is.
      const archive = { file, store: path };
      const moved = await moveOut(writing, numbers, archive, context.wait, () => (copied = true));
      return { archived: numbers.length, ...moved, to: file, kept, left };
    });
    const result = await moving.catch((thrown) => {
      throw copied ? inBoth(thrown, file) : thrown;
    });
    // With its key a command does nothing more.
    const again = context.settings.key === undefined ? "" : " with another --key";
    const rest = result.replayed ? undefined : stillThere(result.data, again);
    return { ...written<Archived>(result, (data) => archivedText(data, rest)), rest };
  },
});

/** The error of a move that failed when all of it was in the archive. */
function inBoth(thrown: unknown, file: string): CoopError {
  const { code, message, details } = asCoopError(thrown);
  return new CoopError(
    code,
    `${message}; what was to be moved is in ${file} too, until the command is repeated`,
    { ...details, hint: "mend that, and repeat the command" },
  );
}

/** @throws CoopError usage, for the store's own file. */
async function requireAnother(file: string, path: string): Promise<void> {
  if (await isSameFile(file, path))
    throw usage(`${file} is the store itself`, "name another file with --to");
}

/** What one command was too much for. */
const stillThere = ({ left }: Archived, again: string) =>
  left > 0 ? `${left} more: repeat the command${again}` : undefined;

function archivedText(moved: Archived, rest: string | undefined): string {
  const { archived, events, to, queues, kept } = moved;
  const each = Object.entries(queues).map(([name, count]) => `${inline(name)} ${count}`);
  return lines(
    archived === 0
      ? "nothing to archive"
      : `archived ${counted(archived, "item")} and ${counted(events, "event")} into ${inline(to)}: ${each.join(", ")}`,
    kept > 0 &&
      `kept ${counted(kept, "item")}, finished for as long but linked to others that are not`,
    rest,
  );
}
