// Winograd, second of three passes, for software adapters with subgroups of 8: a matrix product for each position.
//
// products[p, tile, o] = sum over c of transformedInput[p, tile, c] * transformedKernel[p, c, o], for all positions p of the window
//
//   transformedInput  (p, tile / 8, ci / 4, tile % 8) vec4f of four channels c
//   transformedKernel (p, co / 32, ci, 8) vec4f of four channels o
//   products     (p, tile, co / 4) vec4f of four channels o
//   tile         8 * GROUPS tiles x 32 channels for each workgroup, which is one subgroup of 8 lanes
//
//               lane 0   lane 1         lane 7
//             o 0123     4567    ...   28..31
//     tile 0   ####     ####           ####      each lane sums all tiles of the block for its own 4 channels; of
//     tile 1   ####     ####           ####      `transformed` it loads tile `lane` of every group of 8, 4 channels at
//       ...                                      once, and reads the other seven from its neighbours
//
//   why     as conv2d/subgroup-forward.wgsl, whose loop this is. Both factors lie in memory in the order in which the
//           loop reads them: rows of a plain matrix with a power of two of channels would fall into the same few sets
//           of the CPU's cache and push one another out.
//   cost    2 * ci FLOP for each element of products; no shared memory, no barrier
//   needs   ci and co divisible by 4; subgroups of exactly 8 lanes; GROUPS. What tiles past the last hold does not
//           matter: nothing is written for them.

enable subgroups;

struct Params {
  tiles: u32,
  ci: u32,
  co: u32,
  positions: u32,
  zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> transformedInput: array<vec4f>;
@group(0) @binding(2) var<storage, read> transformedKernel: array<TransformedKernel4>;
@group(0) @binding(3) var<storage, read_write> products: array<vec4f>;

alias Sums = array<vec4f, 8 * GROUPS>;

// Adds the products of eight tiles, each held by one lane, to sums[first] and the following.
fn multiply(sums: ptr<function, Sums>, first: u32, weights: mat4x4f, four: vec4f) {
  for (var i = 0u; i < 8; i++) { sums[first + i] += weights * subgroupShuffle(four, i); }
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channelVectors = params.ci / 4;
  let columns = params.co / 4;
  let eights = (params.tiles + 7) / 8;
  let rowBlocks = (eights + GROUPS - 1) / GROUPS;
  let columnBlocks = (columns + 7) / 8;
  let block = wid.y * nwg.x + wid.x;
  let rowBlock = block % rowBlocks;
  let columnBlock = block / rowBlocks % columnBlocks;
  let position = block / rowBlocks / columnBlocks;
  if (position >= params.positions) { return; }

  var sums: Sums;
  let group = channelVectors * 8;
  var weight = (position * columnBlocks + columnBlock) * params.ci * 8 + lane;
  var source = (position * eights + rowBlock * GROUPS) * group + lane;
  for (var c = 0u; c < channelVectors; c++) {
    let weights = mat4x4f(vec4f(transformedKernel[weight]), vec4f(transformedKernel[weight + 8]), vec4f(transformedKernel[weight + 16]), vec4f(transformedKernel[weight + 24]));
    // Written out: the compiler would not unroll a loop this long.
    multiply(&sums, 0, weights, transformedInput[source]);
    if (GROUPS > 1) { multiply(&sums, 8, weights, transformedInput[source + group]); }
    if (GROUPS > 2) { multiply(&sums, 16, weights, transformedInput[source + 2 * group]); }
    if (GROUPS > 3) { multiply(&sums, 24, weights, transformedInput[source + 3 * group]); }
    weight += 32;
    source += 8;
  }

  let tile = rowBlock * 8 * GROUPS;
  let column = columnBlock * 8 + lane;
  let count = min(8 * GROUPS, params.tiles - tile);
  for (var i = 0u; i < count; i++) {
    // The detour hides from the compiler that i stays below 32; else it would unroll this loop.
    let row = subgroupShuffle(i, lane & params.zero);
    if (column < columns) { products[(position * params.tiles + tile + row) * columns + column] = sums[row]; }
  }
}
