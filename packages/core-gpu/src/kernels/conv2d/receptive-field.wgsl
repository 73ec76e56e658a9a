// Where the factor x of a convolution lies, looked up as tiles are fetched: its rows are pixels of y, its columns
// k = (ky, kx, c).

// The receptive field of one output pixel: its image in x, and the row and column where it starts.
struct ReceptiveField {
  image: u32,
  row: i32,
  column: i32,
}

// What k stands for: the channel, and the way from the start of a field.
struct Tap {
  c: u32,
  down: i32,
  right: i32,
  exists: bool,
}

// Where four channels of one tap of a receptive field lie in x.
struct Source {
  at: u32,
  inside: bool,
}

fn receptiveFieldOf(pixel: u32) -> ReceptiveField {
  let row = pixel / params.ow;
  return ReceptiveField(
    row / params.oh * params.xStrideN,
    i32(row % params.oh * params.strideH) - params.padTop,
    i32(pixel % params.ow * params.strideW) - params.padLeft,
  );
}

fn tapOf(k: u32) -> Tap {
  let tap = k / params.ci;
  let ky = tap / max(params.kw, 1);
  let kx = tap % max(params.kw, 1);
  return Tap(k % params.ci, i32(ky * params.dilationH), i32(kx * params.dilationW), ky < params.kh);
}

fn sourceOf(field: ReceptiveField, tap: Tap) -> Source {
  let iy = field.row + tap.down;
  let ix = field.column + tap.right;
  let inside = tap.exists && u32(iy) < params.h && u32(ix) < params.w;
  let at = u32(i32(field.image + u32(iy) * params.xStrideH + u32(ix) * params.xStrideW + tap.c) + params.xOffset) / 4;
  return Source(select(0, at, inside), inside);
}
