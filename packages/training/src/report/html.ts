import { visibleLine } from '@convbase/base';

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Part = Html | string | number | undefined | readonly Part[];

/**
 * HTML from a template. What is put in is escaped, for elements and quoted attributes alike, unless it is HTML itself;
 * lists are joined and what is undefined leaves nothing.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((string, index) => string + textOf(parts[index])).join(''));
}

function textOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(textOf).join('');
  return escape(String(part));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Also makes control characters and line breaks visible, which HTML forbids or which could hide what a name says. */
function escape(text: string): string {
  return visibleLine(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
