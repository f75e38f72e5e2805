/** A text as one word of a command that a user may copy into a shell. */
export const shellWord = (text: string) =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : WINDOWS_PATH.test(text) ? `"${text}"` : quotedWord(text);

/** A path that cmd knows in double quotes alone, as other shells do where nothing in it is a sign of theirs. */
const WINDOWS_PATH = /^([a-z]:\\|\\\\)[^"$`!%\p{Cc}]*$/iu;

/** The same, in quotes in any case. */
export const quotedWord = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
