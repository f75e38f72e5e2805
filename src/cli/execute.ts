import * as v from "valibot";
import { asCoopError, CoopError, EXITS, usage } from "../errors";
import { looksLikeRef, parseRef, ref, refNumber } from "../ref";
import { locate } from "../store/location";
import type { Warning } from "../store/open";
import { publish, publishDue } from "../store/publish";
import { longText, scope as scopeSchema, speaker } from "../words";
import type { Answer } from "./answer";
import { GLOBALS } from "./args";
import { Context, type Edge } from "./context";
import type { Arg, Args, Verb } from "./define";
import { check, checkInput, decode, requireValidArguments, resolveTexts } from "./input";
import { onStore } from "./on-store";
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
  const flags = checkGlobals(globals, given);
  const texts = await resolveTexts(command.args, given, edge);
  const context = new Context(
    edge,
    settings(flags, edge, path.join(" "), command, texts),
    warnings,
  );
  if (command.unscoped) context.warnUnscoped(command.unscoped);
  warnUnusedScope(context, command.args, texts);
  try {
    const answer = await runVerb(command, texts, path, context);
    const due = context.wrote && (await publishDue(await context.store(), context.now()));
    await context.close();
    const colour = flags.noColor !== true && (await edge.colour());
    await print(answer, context, { json, colour });
    const { location, waitSeconds } = context.settings;
    if (due) await publish(location(), edge.clock, waitSeconds);
    return answer.exit ?? EXITS.ok;
  } catch (thrown) {
    await context.close().catch(() => {});
    // That nothing was written, or to try again, is only said of what came after.
    const error = asCoopError(thrown);
    const isOfStore = ["unavailable", "busy", "failed"].includes(error.code);
    throw context.wrote && isOfStore ? afterWriting(error, context) : thrown;
  }
}

/** Warns who names a record and a scope by flag: a ref is found from any, and stays in its own. */
function warnUnusedScope(context: Context, args: Args, given: Given): void {
  if (!context.settings.scopeFlag) return;
  const [[name, { ref: surface }] = ["", {} as Arg]] = Object.entries(args);
  const value = given[name];
  if (surface === undefined || typeof value !== "string" || !looksLikeRef(value)) return;
  // What is a ref of another surface can be a name here, such as a commit's.
  if (surface === "any" || [surface, "fan-out", undefined].includes(parseRef(value)?.surface))
    context.warn("unused_scope", `--scope changes nothing for ${value}: a ref is of one project`);
}

/** The error of a command that failed after what it had to do was done. */
const afterWriting = ({ message, details }: CoopError, { wrote, settings: { key } }: Context) =>
  new CoopError("unknown", `it was written, but ${message}`, {
    hint: wrote && key !== undefined ? "look, or repeat the command with the same --key" : "look",
    cause: details.cause,
  });

type Flags = { [K in keyof typeof GLOBALS]: v.InferOutput<(typeof GLOBALS)[K]["schema"]> };

function checkGlobals(globals: Given, given: Given): Flags {
  const flags: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(globals)) {
    const name = `--${key}`;
    flags[key] = check(GLOBALS[key as keyof typeof GLOBALS].schema as v.GenericSchema, value, name);
  }
  if (flags["json"] && flags["quiet"])
    throw usage("--json and --quiet exclude each other", "give one of them");
  if (given["raw"] && (flags["json"] || flags["quiet"]))
    throw usage("--raw goes without --json and --quiet", "give one of them");
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
    id: flags.as ?? variable("PIPPA_COOP_ID", speaker),
    location: () => locate({ flag: flags.db, env: edge.env, home: () => edge.home() }),
    storeFlag: flags.db,
    scope: flags.scope ?? variable("PIPPA_COOP_SCOPE", scopeSchema),
    scopeFlag: flags.scope !== undefined,
    quiet: flags.quiet === true,
    waitSeconds: flags.wait ?? DEFAULT_WAIT_SECONDS,
    key: typeof key === "string" ? key.normalize("NFC") : undefined,
    writes: "key" in args,
    verb,
    fingerprint: (read: Given, sorted: boolean) =>
      fingerprint(args, given, read, flags.scope, sorted),
  };
}

/**
 * A hash of the arguments as they were given, refs and names in whatever spelling, lists `sorted` or in the order they came
 * in, and what was `read` in place of what names it: the scope only if given by flag, the key itself not at all.
 */
function fingerprint(
  args: Args,
  given: Given,
  read: Given,
  scope: string | undefined,
  sorted: boolean,
): string {
  const all: Record<string, unknown> = scope === undefined ? {} : { scope };
  for (const [name, value] of Object.entries(given)) {
    if (name === "key") continue;
    const is = read[name] ?? spelt(args[name], value);
    all[name] = sorted && Array.isArray(is) ? is.toSorted() : is;
  }
  const entries = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(entries)).digest("hex");
}

/** A value that was given, as coop spells it: refs by their letter, and what its schema makes another text of as that. */
function spelt(arg: Arg | undefined, value: unknown): unknown {
  if (arg === undefined || value === true) return value;
  if (arg.ref === undefined) {
    const checked = check(arg.schema as v.GenericSchema, value, "");
    return [checked].flat().every((each) => typeof each === "string") ? checked : value;
  }
  const surface = arg.ref;
  if (Array.isArray(value)) return value.map((each) => spelt(arg, each));
  const text = String(value).normalize("NFC");
  // In the place of a ref there can also be a name.
  if (!looksLikeRef(text)) return text;
  const named = surface === "any" ? parseRef(text)?.surface : surface;
  try {
    return named === undefined ? text : ref(named, refNumber(named, text));
  } catch {
    return text;
  }
}

async function runVerb(
  verb: Verb,
  given: Given,
  path: readonly string[],
  context: Context,
): Promise<Answer> {
  const input = checkInput(verb, given, path);
  return given["edit"] ? runEdited(verb, given, input, context) : verb.run(input, context);
}

/** Runs a verb with the text that the person writes in an editor, which is kept where the verb fails. */
async function runEdited(
  verb: Verb,
  given: Given,
  input: Record<string, unknown>,
  context: Context,
): Promise<Answer> {
  // Nobody should write what cannot be stored.
  context.requireSpeaker();
  await (await context.store()).requireWritable();
  const key = Object.keys(verb.args).find((name) => verb.args[name]!.text?.edit)!;
  const initial = (await verb.editing?.(input, context)) ?? "";
  const bytes = await context.aside(() => context.edge.edit(initial));
  try {
    const text = decode("the edited text", bytes);
    given[key] = text;
    input[key] = check(longText, text, "the edited text");
    return await verb.run(input, context);
  } catch (thrown) {
    const file = await context.edge.keep(bytes).catch(() => undefined);
    if (file === undefined) throw thrown;
    const { code, message, details } = asCoopError(thrown);
    const kept = `the text is kept in ${file}`;
    const hint = details.hint === undefined ? kept : `${details.hint}; ${kept}`;
    throw new CoopError(code, message, { ...details, hint });
  }
}

/** @throws CoopError unavailable full or access; unknown, where the answer is to what was written. */
async function print(
  answer: Answer,
  context: Context,
  how: { json: boolean; colour: boolean },
): Promise<void> {
  const { edge, warnings } = context;
  if (!how.json) await warn(warnings, edge);
  const text = await shown(answer, context, how);
  if (text === "") return;
  try {
    await edge.print(text);
  } catch (thrown) {
    if (!context.wrote && !answer.made) throw thrown;
    throw afterWriting(asCoopError(thrown), context);
  }
}

/** All that goes to stdout. Beside refs alone, what they leave out is told on stderr. */
async function shown(
  answer: Answer,
  context: Context,
  { json, colour }: { json: boolean; colour: boolean },
): Promise<string> {
  if (json) return `${jsonDocument(answer, context.warnings)}\n`;
  if (context.settings.quiet) {
    if (answer.rest !== undefined)
      await context.edge.complain(`coop: ${onStore(answer.rest, context.settings.storeFlag)}\n`);
    return asLines(refsOf(answer.data));
  }
  if (answer.raw !== undefined) return answer.raw;
  const plain = answer.text(answer.data, await context.view());
  if (plain === "") return "";
  const text = colour ? (await import("./colour")).emphasised(plain) : plain;
  const again = answer.replayed ? ["(done before with this key; nothing was done now)"] : [];
  return asLines([text, ...again]);
}

const asLines = (texts: readonly string[]) => texts.map((text) => `${text}\n`).join("");
