import type { AffineMatrix } from '@convbase/core-gpu';

/** A picture's size in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Nothing is moved. */
export const identityMatrix: AffineMatrix = [1, 0, 0, 0, 1, 0];

/** First `after`, then `before`: the place that `before` reads at the place that `after` asks for. */
export function compose(before: AffineMatrix, after: AffineMatrix): AffineMatrix {
  const [a0, a1, a2, b0, b1, b2] = before;
  const [c0, c1, c2, d0, d1, d2] = after;
  return [
    a0 * c0 + a1 * d0,
    a0 * c1 + a1 * d1,
    a0 * c2 + a1 * d2 + a2,
    b0 * c0 + b1 * d0,
    b0 * c1 + b1 * d1,
    b0 * c2 + b1 * d2 + b2,
  ];
}

/** The same map with (x, y) as its origin instead of the centre of the first pixel. */
export function about(matrix: AffineMatrix, x: number, y: number): AffineMatrix {
  return compose(compose([1, 0, x, 0, 1, y], matrix), [1, 0, -x, 0, 1, -y]);
}

/** The picture as in a mirror. */
export function mirror({ height, width }: ImageSize, horizontal: boolean, vertical: boolean): AffineMatrix {
  const [sx, tx] = horizontal ? [-1, width - 1] : [1, 0];
  const [sy, ty] = vertical ? [-1, height - 1] : [1, 0];
  return [sx, 0, tx, 0, sy, ty];
}
