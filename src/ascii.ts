const LONG = 1000;

/**
 * Whether a text is short and all printable ASCII, as nearly every word and title is. A command that looks at a few of
 * them is done before the first pattern of what is not so would be ready.
 */
export function isPrintableAscii(text: string): boolean {
  if (text.length > LONG) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}
