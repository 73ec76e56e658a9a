// The kernel transform of one input channel and four output channels (transforms-N.wgsl gives the arithmetic).
//
//   kernel       (3, 3, ci, co) dense
//   transformed  (position, plane): `plane` vec4f for each of the SIZE * SIZE positions, in it
//                  (co / 4 / side, ci, side), zeros for channels past the last
//                with side = co / 4 rows of a matrix; with side = 8 what the lanes of a subgroup read lies side by side

struct Params {
  ci: u32,
  co: u32,
  plane: u32,
  side: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(2) var<storage, read_write> transformed: array<Factors4>;

fn transformTaps(t: u32) {
  if (t >= params.plane) { return; }
  let quads = params.co / 4;
  let quad = t / params.side / params.ci * params.side + t % params.side;
  let c = t / params.side % params.ci;
  let exists = quad < quads;

  // G g G^T: columns of taps as they are loaded, then rows.
  var columns: array<Window, 3>;
  for (var kx = 0u; kx < 3; kx++) {
    var taps: array<vec4f, 3>;
    for (var ky = 0u; ky < 3; ky++) {
      let at = ((ky * 3 + kx) * params.ci + c) * quads + quad;
      taps[ky] = select(vec4f(), vec4f(kernel[select(0, at, exists)]), exists);
    }
    columns[kx] = kernelTransform(taps);
  }
  for (var r = 0u; r < SIZE; r++) {
    let row = kernelTransform(array<vec4f, 3>(columns[0][r], columns[1][r], columns[2][r]));
    for (var s = 0u; s < SIZE; s++) { transformed[(r * SIZE + s) * params.plane + t] = Factors4(row[s]); }
  }
}
