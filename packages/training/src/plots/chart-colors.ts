/** The colours of a chart; a page with colours of its own replaces them in the SVG's text. */
export const chartColors = {
  background: '#ffffff',
  text: '#24292f',
  faint: '#8c959f',
  grid: '#e4e7eb',
  training: '#0b65c2',
  validation: '#c2410b',
} as const;
