import * as v from "valibot";
import { isPrintableAscii } from "./ascii";
import { duration, instant } from "./time";
import { refNumber, looksLikeRef, type Numbered } from "./ref";

// The words that users give, each as the schema that checks it and turns it into what the verbs work with.

/** Whether a text takes at most so many bytes in UTF-8. Most are so short that they need not be counted. */
export const fits = (text: string, most: number) =>
  text.length * BYTES_A_UNIT <= most || byteLength(text) <= most;

/** The most bytes that one unit of a text's length stands for, in UTF-8. */
const BYTES_A_UNIT = 3;

/** How many bytes a text takes in UTF-8. Buffer tells too, but takes a quarter of a millisecond to load. */
export const byteLength = (text: string) => new Blob([text]).size;

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** The most bytes, in UTF-8, of a name, of a title and of a long text. */
export const LONGEST = { word: 200, title: 1024, text: 4 * 1024 * 1024 } as const;

/**
 * A schema made when it is first asked: a command checks three words, and knows thirty.
 * @param surely tells of a value that the schema would take as it is. Nearly all are such, and it is never made.
 */
export function later<S extends v.GenericSchema>(
  make: () => S,
  surely: (value: unknown) => boolean = () => false,
) {
  let made: S | undefined;
  return v.lazy<S>((value) => (surely(value) ? AS_IT_IS : (made ??= make())) as S);
}

const AS_IT_IS = v.any();

/** Whether a value is a word of printable ASCII, not too long and not blank. */
const isPlainWord = (value: unknown): value is string =>
  typeof value === "string" &&
  value.length <= LONGEST.word &&
  isPrintableAscii(value) &&
  value.trim() !== "";

/** Whether a value is a text that is no longer than any may be, and holds nothing that none may hold. */
export const isPlainText = (value: unknown): value is string =>
  typeof value === "string" &&
  fits(value, LONGEST.text) &&
  !value.includes("\0") &&
  value.isWellFormed();

/** Half of a surrogate pair is no character, and could not be kept as it is. */
const wellFormed = v.check((text: string) => text.isWellFormed(), "holds half a surrogate pair");

/** Ids, scopes, slugs, keys and names of queues: NFC, up to 200 bytes, no control characters. */
const plain = (what: string) =>
  v.pipe(
    v.string(),
    v.transform((text) => text.normalize("NFC")),
    v.check(
      (text) => isPrintableAscii(text) || !CONTROL.test(text),
      `${what} may hold no control characters`,
    ),
    wellFormed,
    v.check((text) => fits(text, LONGEST.word), `${what} may be up to ${LONGEST.word} bytes long`),
  );

const named = (what: string) =>
  v.pipe(
    plain(what),
    v.check((text) => text.trim() !== "", `${what} may not be empty`),
  );

/** The name of a project; empty for none. */
export const scope = later(
  () =>
    v.pipe(
      plain("a scope"),
      v.check((text) => text === "" || text.trim() !== "", "a scope may not be blank"),
    ),
  isPlainWord,
);
/** The id of somebody who takes part. */
export const id = later(() => named("an id"), isPlainWord);

/** One id, where a list could be meant: with a comma it would be a name that no list can have. */
export const oneId = later(
  () =>
    v.pipe(
      id,
      v.check((text) => !text.includes(","), "one id only, without a comma"),
    ),
  (value) => isPlainWord(value) && !value.includes(","),
);

/** Whether a word where an id belongs means the speaker. */
export const isMe = (text: string) => text === "me";

/** Whether a word is what the speaker may be called by who does not know that it is `me`. */
export const isLikeMe = (text: string) => ["me", "self", "myself"].includes(text.toLowerCase());

/** The id of who speaks. Not what stands for the speaker: nobody could name a record that is by such an id, or to it. */
export const speaker = later(
  () =>
    v.pipe(
      named("an id"),
      v.check((text) => !isMe(text), "`me` stands for the speaker: name an id"),
    ),
  (value) => isPlainWord(value) && !isMe(value),
);

/** What makes a command repeatable. */
export const key = later(() => named("a key"), isPlainWord);
/** The kind of a request: any word. */
export const kind = later(
  () =>
    v.pipe(
      named("a kind"),
      v.check((text) => !text.includes(","), "a kind may hold no comma, which parts a list"),
    ),
  (value) => isPlainWord(value) && !value.includes(","),
);

/** A name that is given where a ref can be given too, so it may not look like one. */
const noRef = (what: string) =>
  later(
    () =>
      v.pipe(
        named(what),
        v.check((text) => !looksLikeRef(text), `${what} may not look like a ref`),
      ),
    (value) => isPlainWord(value) && !looksLikeRef(value),
  );

/** The name of a queue. */
export const queueName = noRef("a queue's name");
/** The name of a history entry in its scope. `HEAD` stands for a commit wherever an entry is named. */
export const slug = later(
  () =>
    v.pipe(
      noRef("a slug"),
      v.check((text) => !isHead(text), "a slug may not be HEAD, which stands for a commit"),
    ),
  (value) => isPlainWord(value) && !looksLikeRef(value) && !isHead(value),
);

const isHead = (text: string) => text.toUpperCase() === "HEAD";

/** A title: up to 1 KB, kept as it is. */
export const title = later(
  () =>
    v.pipe(
      v.string(),
      v.check((text) => text.trim() !== "", "a title may not be empty"),
      v.check((text) => !text.includes("\0"), "a title may not hold U+0000"),
      wellFormed,
      v.check(
        (text) => fits(text, LONGEST.title),
        `a title may be up to ${LONGEST.title} bytes long; put the rest into --body`,
      ),
    ),
  isPlainWord,
);

/** A body, payload or reply: kept byte for byte. */
export const longText = later(
  () =>
    v.pipe(
      v.string(),
      v.check((text) => !text.includes("\0"), "text may not hold U+0000"),
      wellFormed,
      v.check((text) => fits(text, LONGEST.text), "text may be up to 4 MiB"),
    ),
  isPlainText,
);

/** The words of a text as a slug has them: letters and digits, small. */
export function slugWords(text: string): string[] {
  // The pattern of every script's letters takes two megabytes.
  const pattern = isPrintableAscii(text) ? /[a-z0-9]+/g : /[\p{L}\p{M}\p{N}]+/gu;
  // Last: a letter without a composed form can have one as a small one.
  return text.toLowerCase().normalize("NFC").match(pattern) ?? [];
}

const BY_PATH = "name one by its path";

/**
 * The path of a file or a folder, as `says` asks for one.
 * @param copy what to do instead where a PostgreSQL store is named.
 */
export const filePath = (says: string, copy = BY_PATH) =>
  later(() =>
    v.pipe(
      v.string(),
      v.check((text) => text !== "" && !text.includes("\0"), says),
      // Bun's SQLite opens the file whose name is without it.
      v.check((text) => text === text.trimEnd(), "a path may not end in a space or a line's end"),
      v.check(
        (text) => !/^[a-z][a-z\d+.-]+:\/\//i.test(text),
        ({ input }) => `a URL is no file; ${/^postgres/i.test(input) ? copy : BY_PATH}`,
      ),
    ),
  );

/** A ref inside its surface, as the record's number. What is none is thrown, with what to do instead. */
export const refOf = (surface: Numbered) =>
  later(() =>
    v.pipe(
      v.string(),
      v.transform((text) => refNumber(surface, text)),
    ),
  );

/** A whole number in a range, both ends included. */
export const whole = (what: string, least: number, most: number) =>
  later(() =>
    v.pipe(
      v.string(),
      v.check(
        (text) => /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most,
        most === Number.MAX_SAFE_INTEGER
          ? `${what} is a whole number from ${least}, of 15 digits at most`
          : `${what} is a whole number from ${least} to ${most}`,
      ),
      v.transform(Number),
    ),
  );

/** All priorities, the most urgent first. */
export const PRIORITIES = [0, 1, 2, 3, 4] as const;
/** The priority of what is given none. */
export const DEFAULT_PRIORITY = 2;
/** A priority, as its number; also as lists have it, such as `p1`. */
export const priority = later(() =>
  v.pipe(
    v.string(),
    v.regex(/^p?0*[0-4]$/i, "a priority is a whole number from 0, the most urgent, to 4"),
    v.transform((text) => Number(text.at(-1))),
  ),
);
/** The version of a record, as its number. */
export const version = whole("a version", 1, Number.MAX_SAFE_INTEGER);

/** A point in time, as what gives it in milliseconds since 1970 once now is known. What is none is thrown. */
export const moment = later(() =>
  v.pipe(
    v.string(),
    v.transform((text) => {
      instant(text, 0);
      return (now: number) => instant(text, now);
    }),
  ),
);

/** A length of time, as it was given: answers repeat it. What is none is thrown. */
export const length = later(() =>
  v.pipe(
    v.string(),
    v.transform((text) => {
      duration(text);
      return text;
    }),
  ),
);

/** A number of seconds, decimals allowed, up to an hour. */
export const seconds = later(() =>
  v.pipe(
    v.string(),
    v.check(
      (text) => /^\d+(\.\d+)?$/.test(text) && Number(text) <= 3600,
      "give seconds from 0 to 3600",
    ),
    v.transform(Number),
  ),
);

/** How many digits a commit is named by: an abbreviation, up to a whole SHA-256. */
export const SHA_LENGTH = { least: 7, most: 64 } as const;

/** How a commit is named, for errors. */
export const A_COMMIT = `a commit is ${SHA_LENGTH.least} to ${SHA_LENGTH.most} hexadecimal digits`;

/** A commit by its sha or an abbreviation of it, in small letters. */
export const sha = later(() =>
  v.pipe(
    v.string(),
    v.check(
      (text) =>
        /^[0-9a-f]+$/i.test(text) &&
        text.length >= SHA_LENGTH.least &&
        text.length <= SHA_LENGTH.most,
      ({ input }) =>
        `${A_COMMIT}${input === "HEAD" ? "; `coop history commit` takes HEAD too" : ""}`,
    ),
    v.transform((text) => text.toLowerCase()),
  ),
);
