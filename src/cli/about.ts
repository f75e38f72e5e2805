import type { Group, Verb } from "./define";
export async function about({
  path,
}: {
  root: Group;
  path: readonly string[];
  command: Verb | Group;
  json: boolean;
  version: boolean;
}): Promise<string> {
  return `help ${path.join(" ")}`;
}
