/** A text as one word of a command that a user may copy into a shell. */
export const shellWord = (text: string) =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : WINDOWS_PATH.test(text) ? `"${text}"` : quotedWord(text);

/** A path of Windows, which cmd and PowerShell know in double quotes; what would be a sign of theirs, or end the quotes, is none. */
const WINDOWS_PATH = /^([a-z]:\\|\\\\)[^"$`!%\p{Cc}]*(?<!\\)$/iu;

/** The same, in quotes in any case. */
export const quotedWord = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
