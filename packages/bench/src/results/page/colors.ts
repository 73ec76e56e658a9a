/** The colours of charts as they are drawn; the page puts its own in their place. */
export const chartColors = {
  text: '#24292f',
  faint: '#8c959f',
  grid: '#e4e7eb',
} as const;

/** Of contenders, in order: told apart by those who see no red or no green, too (Okabe and Ito 2008). */
const palette = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#999999'] as const;

/** A colour for each name, always the same for the same names in the same order. */
export function colorsOf(names: readonly string[]): Map<string, string> {
  return new Map(names.map((name, index) => [name, palette[index % palette.length] ?? palette[0]]));
}
