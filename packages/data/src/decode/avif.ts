/** Inside an AVIF file: the boxes that lead to the sizes of its pictures. The second is a "full box" of 4 more bytes. */
const PATH = ['meta', 'iprp', 'ipco', 'ispe'] as const;
const FULL_BOX_BYTES = 4;

/** A box of the ISO base media file format: its kind, and where its content lies. */
interface Box {
  readonly kind: string;
  readonly begin: number;
  readonly end: number;
}

/**
 * The sizes in pixels that an AVIF file claims for its pictures: the `ispe` properties of ISO/IEC 23008-12, 6.5.3.
 *
 * libvips takes a side of more than 100 million pixels for one of 1, and then decodes it: whoever asks sharp for the
 * size does not learn of it. What is damaged is left out here, and told by the decoder.
 */
export function avifSizes(bytes: Uint8Array): { readonly width: number; readonly height: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let boxes: Box[] = [{ kind: '', begin: 0, end: bytes.byteLength }];
  for (const kind of PATH) {
    boxes = boxes
      .flatMap((outer) => boxesIn(view, outer))
      .filter((box) => box.kind === kind)
      .map((box) => (kind === 'meta' ? { ...box, begin: box.begin + FULL_BOX_BYTES } : box));
  }
  return boxes
    .filter(({ begin, end }) => end - begin >= FULL_BOX_BYTES + 8)
    .map(({ begin }) => ({
      width: view.getUint32(begin + FULL_BOX_BYTES),
      height: view.getUint32(begin + FULL_BOX_BYTES + 4),
    }));
}

function boxesIn(view: DataView, outer: Box): Box[] {
  const boxes: Box[] = [];
  let at = outer.begin;
  while (at + 8 <= outer.end) {
    const size = view.getUint32(at);
    const kind = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    // 0 is for "all that is left", 1 for a size of 64 bits behind the kind.
    const isLong = size === 1 && at + 16 <= outer.end;
    const bytes = size === 0 ? outer.end - at : isLong ? Number(view.getBigUint64(at + 8)) : size;
    const header = isLong ? 16 : 8;
    if (bytes < header) break;
    boxes.push({ kind, begin: at + header, end: Math.min(at + bytes, outer.end) });
    at += bytes;
  }
  return boxes;
}
