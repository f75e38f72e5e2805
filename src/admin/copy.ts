import * as v from "valibot";
import { answer } from "../cli/answer";
import { defineVerb, requiredFlag, toggle } from "../cli/define";
import { inline } from "../cli/text";
import { CoopError, usage } from "../errors";
import { isSameFile } from "../files";
import { copyStore, sameStore, undoCopy } from "../store/copy";
import { SKIP } from "../store/counters";
import { describe, locateNamed, type Location } from "../store/location";
import { openStore, type Store } from "../store/open";
import { BACKUP_OF, meta } from "../store/schema";
import { requireOwnPlace } from "../store/sqlite/names";

export default defineVerb({
  unscoped: "all",
  about: "move to another store: from one machine to many, and back",
  examples: [
    "coop copy --from /home/me/pippa-db/coop.db --to postgres://coop@db.example.org/work",
    "coop copy --undo --from /home/me/pippa-db/coop.db --to postgres://coop@db.example.org/work",
  ],
  notes: `Copies all records, events, versions, keys and numbers into a store that was just made with coop init and holds
nothing, either way between SQLite and PostgreSQL, and verifies it by count and hash. First it marks both: from then on
every command that writes to the old store, but redact, ends with exit 4, reason moved, naming the new one, and so does one
that writes to the new store before it is whole. The old store is never emptied. If it was interrupted, give the same command
again, or --undo: that opens the old store again, and closes the new one if it was complete, as long as nobody has written
there. After that a copy to the same new store is refused once the old one was written to: make another. A backup is copied
without being closed, and numbers skip ahead by ${SKIP}, since it does not tell which were given after it.`,
  args: {
    from: requiredFlag(v.string(), "STORE", "the store as it is now"),
    to: requiredFlag(v.string(), "STORE", "the new one, which holds nothing yet"),
    undo: toggle("write to the old store again"),
  },
  run: async ({ from, to, undo }, context) => {
    const [old, young] = [
      locateNamed(from, "--from", context.edge),
      locateNamed(to, "--to", context.edge),
    ];
    if (context.settings.storeFlag !== undefined)
      throw usage("`coop copy` names both stores by --from and --to", "leave --db out");
    const names = { from: describe(old), to: describe(young) };
    const files = [old, young].map((each) => (each.engine === "sqlite" ? each.path : ""));
    if (names.from === names.to || (await isSameFile(files[0]!, files[1]!))) throw sameStore();
    const writer = { host: await context.edge.host(), warn: context.warn, moves: true };
    const opened: Store[] = [];
    const open = async (location: Location) => {
      const store = await openStore(location, context.wait);
      opened.push(store);
      // Backups are only read, and kept by hard links.
      if (location.engine === "sqlite" && (await meta(store, BACKUP_OF)) === undefined)
        await requireOwnPlace(location.path, context.wait);
      return store;
    };
    try {
      if (undo) {
        const source = await open(old).catch(whyUnavailable);
        const target = await open(young).catch(whyUnavailable);
        const both = { source: names.from, target: names.to };
        const closed = await undoCopy(source, target, both, context.now(), writer);
        return answer(
          { ...names, undone: true, closed },
          () =>
            inline(`${names.from} is written to again${closed ? `, and ${names.to} no more` : ""}`),
          { made: true },
        );
      }
      const found = await copyStore(await open(old), await open(young), context.now(), writer);
      const { copied, rows, hash, fromBackup } = found;
      if (fromBackup)
        context.warn("skipped", `${names.from} is a backup: numbers go on ${SKIP} higher`);
      const count = Object.values(rows).reduce((sum, each) => sum + each, 0);
      return answer(
        { ...names, copied, rows, hash },
        () =>
          inline(
            `${copied ? "copied" : "had copied"} ${count} rows to ${names.to}, the same by count and hash; ` +
              (fromBackup ? "" : `${names.from} is closed: `) +
              "set PIPPA_COOP_DB or --db to the new store everywhere",
          ),
        { made: copied },
      );
    } finally {
      for (const store of opened) await store.close();
    }
  },
});

/** Why a store cannot be opened; what is another failure goes on. */
function whyUnavailable(thrown: unknown): CoopError {
  if (thrown instanceof CoopError && thrown.code === "unavailable") return thrown;
  throw thrown;
}
