// Where the factor x of a convolution lies, looked up as tiles are fetched: its rows are pixels of y, its columns
// k = (ky, kx, c).

// The window of one pixel: its picture in x, and the row and column where it starts.
struct Window {
  image: u32,
  row: i32,
  column: i32,
}

// What k stands for: the channel, and the way from the start of a window.
struct Tap {
  c: u32,
  down: i32,
  right: i32,
  exists: bool,
}

// Where four channels of one tap of a window lie in x.
struct Place {
  at: u32,
  inside: bool,
}

fn windowOf(pixel: u32) -> Window {
  let row = pixel / params.ow;
  return Window(
    row / params.oh * params.xImage,
    i32(row % params.oh * params.strideH) - params.top,
    i32(pixel % params.ow * params.strideW) - params.left,
  );
}

fn tapOf(k: u32) -> Tap {
  let tap = k / params.ci;
  let ky = tap / max(params.kw, 1);
  let kx = tap % max(params.kw, 1);
  return Tap(k % params.ci, i32(ky * params.dilationH), i32(kx * params.dilationW), ky < params.kh);
}

fn placeOf(window: Window, tap: Tap) -> Place {
  let iy = window.row + tap.down;
  let ix = window.column + tap.right;
  let inside = tap.exists && u32(iy) < params.h && u32(ix) < params.w;
  let at = u32(i32(window.image + u32(iy) * params.xRow + u32(ix) * params.xPixel + tap.c) + params.xOffset) / 4;
  return Place(select(0, at, inside), inside);
}
