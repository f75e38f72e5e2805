import { parseArgs, type ParseArgsConfig } from "node:util";

/** Options as `parseArgs` has them. */
type Options = NonNullable<ParseArgsConfig["options"]>;

/**
 * What a script is asked for; `--help` prints its usage and ends it. One that cannot be had ends it with 2.
 * @param check throws what is wrong with the values.
 */
export function asked<const O extends Options>(
  usage: string,
  options: O,
  check: (values: ReturnType<typeof parsed<O>>) => void = () => {},
) {
  try {
    const values = parsed(options);
    if (!("help" in values)) {
      check(values);
      return values;
    }
  } catch (thrown) {
    console.error(`${(thrown as Error).message}\n\n${usage}`);
    process.exit(2);
  }
  console.log(usage);
  process.exit(0);
}

const parsed = <const O extends Options>(options: O) =>
  parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } } }).values;
