import type { Count } from "../store/listing";
import type { View } from "./text";

/** What a verb answers: the data of `--json`, and how the same data reads as text. */
export interface Answer<T = unknown> {
  data: T;
  /** The same data as text; nothing at all when it gives "". */
  text(data: T, view: View): string;
  /** How many match in all, where `data` is a part of them. */
  total?: Count;
  truncated?: boolean;
  /** How many finished ones match too, where they are left out because nobody asked for a state. */
  finished?: Count | undefined;
  /** How many match in other projects, where nobody named one. */
  elsewhere?: Count | undefined;
  /** Of what other kinds something is open on the reader. */
  alsoOpen?: readonly string[] | undefined;
  /** What is left out and how to get it, in a line of the text; `--quiet` tells it on stderr. */
  rest?: string | undefined;
  /** Whether this is the kept answer to an earlier command with the same key. */
  replayed?: boolean;
  /** Printed byte for byte, instead of anything else. */
  raw?: string;
  /** The exit of a command whose answer is that something is wrong; else 0. */
  exit?: number;
  /** Whether something was made or changed that is no change of the store by its events: files, whole stores. */
  made?: boolean;
}

/** An answer: the data, how it reads as text, and what goes with it. */
export const answer = <T>(
  data: T,
  text: Answer<T>["text"],
  more: Omit<Answer<T>, "data" | "text"> = {},
) => ({ data, text, ...more }) as Answer;

/** The answer of a writing command, which may be one that was kept from before. */
export const written = <T>(
  { data, replayed }: { data: T; replayed: boolean },
  text: Answer<T>["text"],
) => answer(data, text, replayed ? { replayed } : {});
