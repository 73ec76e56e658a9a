import type { Picture } from '../picture/picture.ts';

export interface GridOptions {
  readonly columns: number;
  /** Pixels between pictures and around them; 8 when left out. */
  readonly gap?: number;
  /** Grey level of what is not picture; 255 (white) when left out. */
  readonly background?: number;
}

/**
 * Pictures side by side, row after row, each in the middle of a cell as large as the largest of them. Throws a
 * RangeError where there is no picture or no column.
 */
export function pictureGrid(
  pictures: readonly Picture[],
  { columns, gap = 8, background = 255 }: GridOptions,
): Picture {
  if (pictures.length === 0 || !(columns >= 1)) {
    throw new RangeError(`no grid of ${pictures.length} pictures in ${columns} columns`);
  }
  const cellWidth = Math.max(...pictures.map(({ width }) => width)) + gap;
  const cellHeight = Math.max(...pictures.map(({ height }) => height)) + gap;
  const width = Math.min(columns, pictures.length) * cellWidth + gap;
  const height = Math.ceil(pictures.length / columns) * cellHeight + gap;
  const data = new Uint8Array(width * height * 3).fill(background);
  pictures.forEach((picture, i) => {
    const left = gap + (i % columns) * cellWidth + ((cellWidth - gap - picture.width) >> 1);
    const top = gap + Math.floor(i / columns) * cellHeight + ((cellHeight - gap - picture.height) >> 1);
    const rowBytes = 3 * picture.width;
    for (let row = 0; row < picture.height; row++) {
      data.set(picture.data.subarray(row * rowBytes, (row + 1) * rowBytes), 3 * ((top + row) * width + left));
    }
  });
  return { width, height, data };
}
