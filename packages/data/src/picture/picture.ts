/** A decoded picture: 8-bit RGB, rows from the top, three bytes a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** `height * width * 3` bytes. */
  readonly data: Uint8Array;
}

/** Keras' order: height first. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
}
