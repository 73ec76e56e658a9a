/** Deeper than any document here; a recursive function can still follow it. */
const MAX_DEPTH = 500;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{`, and what closes them two further on. */
const OPENING = [0x5b, 0x7b];

/**
 * `JSON.parse` for text from outside. Lists in lists a hundred thousand deep would parse, but overflow the stack of
 * whatever walks through them afterwards (JSON.stringify in a message, say): they are refused.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (OPENING.includes(code)) depth++;
    else if (OPENING.includes(code - 2)) depth--;
    if (depth > MAX_DEPTH) throw new SyntaxError(`nested more than ${MAX_DEPTH} deep`);
  }
  return JSON.parse(text) as unknown;
}
