// The input transform of one tile and four channels, for tiles of any size (transforms-N.wgsl gives the arithmetic).
//
//   x            strided: pixel (n, row, column) starts at ((n * h + row) * w + column) * ci + xOffset
//   transformed  (position, plane): `plane` vec4f for each of the SIZE * SIZE positions of the window, in it
//                  (tile / side, ci / 4, tile % side)
//                with side = 1 rows of a matrix, one for each tile; with side = 8 the lanes of a subgroup read eight tiles
//                that lie side by side; or as put-turned.wgsl says
//   put          includers say how a thread's value of a position is stored. Threads past the last tile transform it once
//                more, so that all lanes of a subgroup arrive there.

struct Params {
  first: u32,
  tiles: u32,
  tilesX: u32,
  tilesY: u32,
  h: u32,
  w: u32,
  ci: u32,
  top: i32,
  left: i32,
  xOffset: u32,
  plane: u32,
  side: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> transformed: array<vec4f>;

fn transformTile(t: u32) {
  let quads = params.ci / 4;
  let quad = t / params.side % quads;
  let tile = t / params.side / quads * params.side + t % params.side;
  let place = params.first + min(tile, params.tiles - 1);
  let row0 = i32(place / params.tilesX % params.tilesY * OUTPUT) - params.top;
  let column0 = i32(place % params.tilesX * OUTPUT) - params.left;
  let image = place / params.tilesX / params.tilesY * params.h;

  // B^T d B: rows as they are loaded, then columns. Pixels outside the picture are zero.
  var rows: array<Window, SIZE>;
  for (var r = 0u; r < SIZE; r++) {
    let iy = row0 + i32(r);
    let rowInside = u32(iy) < params.h;
    let rowStart = (image + u32(iy)) * params.w;
    var window: Window;
    for (var s = 0u; s < SIZE; s++) {
      let ix = column0 + i32(s);
      let inside = rowInside && u32(ix) < params.w;
      let at = params.xOffset / 4 + (rowStart + u32(ix)) * quads + quad;
      window[s] = select(vec4f(), vec4f(x[select(0, at, inside)]), inside);
    }
    rows[r] = inputTransform(window);
  }
  for (var s = 0u; s < SIZE; s++) {
    var window: Window;
    for (var r = 0u; r < SIZE; r++) { window[r] = rows[r][s]; }
    window = inputTransform(window);
    for (var r = 0u; r < SIZE; r++) { put(r * SIZE + s, t, window[r]); }
  }
}
