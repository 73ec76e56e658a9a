// Stores what a thread has made of its tile and four channels as rows of channels, tile beside tile: (position, ci,
// tile / 4) vec4f of four tiles. That is the order in which ../matmul/outer-product.wgsl reads its first operand.
//
//   The eight lanes of a subgroup hold eight tiles, of which they transpose two squares of 4 x 4:
//
//            lane 0 1 2 3 | 4 5 6 7                lane 0  tiles 0 .. 3 of channel 0      lane 4  tiles 4 .. 7 of channel 0
//     channel 0   . . . . | . . . .         ->     lane 1  tiles 0 .. 3 of channel 1      lane 5  ..
//     ..          . . . . | . . . .                ..
//
//   needs   subgroups of exactly 8 lanes, interleave = 8; all lanes arrive here
fn storePosition(position: u32, t: u32, value: vec4f) {
  let lane = t % 8;
  let first = lane / 4 * 4;
  let channel = lane % 4;
  let transposed = vec4f(
    subgroupShuffle(value, first)[channel],
    subgroupShuffle(value, first + 1)[channel],
    subgroupShuffle(value, first + 2)[channel],
    subgroupShuffle(value, first + 3)[channel],
  );
  let rows = params.positionStride / params.ci; // vec4f of a channel
  let at = (t / 8 % (params.ci / 4) * 4 + channel) * rows + t / 8 / (params.ci / 4) * 2 + lane / 4;
  transformedInput[position * params.positionStride + at] = transposed;
}
