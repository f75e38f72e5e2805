import * as v from "valibot";
import { EXITS, usage } from "../errors";
import { locate } from "../store/location";
import { publish, publishDue } from "../store/publish";
import { id as idSchema, longText, scope as scopeSchema } from "../words";
import type { Answer } from "./answer";
import { GLOBALS } from "./args";
import { Context, type Edge, type Warning } from "./context";
import type { Verb } from "./define";
import { check, checkInput, requireValidArguments, resolveTexts } from "./input";
import { jsonDocument, refsOf } from "./output";
import { warn } from "./program";
import type { Given, Route } from "./route";

const DEFAULT_WAIT_SECONDS = 10;

/**
 * Runs a verb as it was typed and prints its answer; gives the exit code. What is no failure is put into `warnings`.
 * @throws CoopError whatever keeps it from being done.
 */
export async function execute(
  { path, command, globals, given }: Route & { command: Verb },
  json: boolean,
  edge: Edge,
  warnings: Warning[],
): Promise<number> {
  await requireValidArguments({ ...globals, ...given }, edge);
  const flags = checkGlobals(globals);
  const texts = await resolveTexts(command.args, given, edge);
  const context = new Context(
    edge,
    settings(flags, edge, path.join(" "), command, texts),
    warnings,
  );
  try {
    const answer = await runVerb(command, texts, path, context);
    const due = context.wrote && (await publishDue(await context.store(), context.now()));
    await context.close();
    await print(answer, context, {
      json,
      quiet: context.settings.quiet,
      colour: flags.noColor !== true && (await edge.colour()),
    });
    if (due) await publish(context.settings.location(), edge.clock);
    return answer.exit ?? EXITS.ok;
  } catch (thrown) {
    await context.close().catch(() => {});
    throw thrown;
  }
}

type Flags = { [K in keyof typeof GLOBALS]: v.InferOutput<(typeof GLOBALS)[K]["schema"]> };

function checkGlobals(globals: Given): Flags {
  const flags: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(globals)) {
    const name = `--${key}`;
    flags[key] = check(GLOBALS[key as keyof typeof GLOBALS].schema as v.GenericSchema, value, name);
  }
  if (flags["json"] && flags["quiet"])
    throw usage("--json and --quiet exclude each other", "give one of them");
  return flags as Flags;
}

function settings(flags: Flags, edge: Edge, verb: string, { args }: Verb, given: Given) {
  const variable = <S extends v.GenericSchema>(
    name: string,
    schema: S,
  ): v.InferOutput<S> | undefined => {
    const value = edge.env[name];
    if (value === undefined || value === "") return undefined;
    if (value.includes("\ufffd")) throw usage(`${name} is not valid UTF-8`, "set it anew");
    return check(schema, value, name);
  };
  const { key } = given;
  return {
    id: flags.as ?? variable("PIPPA_COOP_ID", idSchema),
    location: () => locate({ flag: flags.db, env: edge.env, home: () => edge.home() }),
    scope: flags.scope ?? variable("PIPPA_COOP_SCOPE", scopeSchema),
    scopeFlag: flags.scope !== undefined,
    quiet: flags.quiet === true,
    waitSeconds: flags.wait ?? DEFAULT_WAIT_SECONDS,
    key: typeof key === "string" ? key.normalize("NFC") : undefined,
    writes: "key" in args,
    verb,
    fingerprint: (read: Given) => fingerprint({ ...given, ...read }, flags.scope),
  };
}

/** A hash of the arguments as they were given: the scope only if given by flag, the key itself not at all. */
function fingerprint(given: Given, scope: string | undefined): string {
  const entries = Object.entries({ ...given, ...(scope !== undefined && { scope }) });
  const sorted = entries.filter(([name]) => name !== "key").sort(([a], [b]) => (a < b ? -1 : 1));
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(sorted)).digest("hex");
}

async function runVerb(
  verb: Verb,
  given: Given,
  path: readonly string[],
  context: Context,
): Promise<Answer> {
  const input = checkInput(verb, given, path);
  if (given["edit"]) {
    const key = Object.keys(verb.args).find((name) => verb.args[name]!.text?.edit)!;
    const initial = (await verb.editing?.(input, context)) ?? "";
    given[key] = await context.edge.edit(initial);
    input[key] = check(longText, given[key], "the edited text");
  }
  return verb.run(input, context);
}

async function print(
  answer: Answer,
  context: Context,
  { json, quiet, colour }: { json: boolean; quiet: boolean; colour: boolean },
) {
  const { edge, warnings } = context;
  if (json) return edge.print(jsonDocument(answer, warnings));
  await warn(warnings, edge);
  if (quiet) {
    const refs = refsOf(answer.data);
    if (refs.length > 0) edge.print(refs.join("\n"));
    return;
  }
  if (answer.raw !== undefined) return edge.printRaw(answer.raw);
  const plain = answer.text(answer.data, await context.view());
  const text = colour ? (await import("./colour")).emphasised(plain) : plain;
  if (text !== "")
    edge.print(
      answer.replayed ? `${text}\n(done before with this key; nothing was done now)` : text,
    );
}
