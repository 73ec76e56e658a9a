// Moves the pixels of images, changes their colours and scales them as a model wants: each output value is fetched
// from where its image's transform says.
//
//   x           (images, h, w, c) from element xFirst on: floats, or bytes, four to a word, the first in the lowest
//               bits
//   transforms  one for each image, those of this dispatch from number imageFirst on
//   statistics  (images, c), see statistics.wgsl; read only by SHIFT and CONTRAST
//   y           (images, oh, ow, c) floats from element yFirst on
//   thread      one element of y; the grid's z is the image, so that a workgroup reads one transform
//
//   GEOMETRY    A position (column, row) is measured from the image's corner: the centre of pixel 0 is at 0.5.
//
//                 y   . . . .         x   . . . .       The output pixel at p takes what stands at A p + t of the
//                     . . p .   --->      q . . .       input: the four pixels around q, weighted by nearness, or the
//                     . . . .             . . . .       one that q lies in. What is outside goes by `fill`.
//
//   COLOURS     SHIFT and BRIGHTNESS as Keras' ImageDataGenerator, CONTRAST, offset and CLIP as its layers
//   MODE        0 none, 1 rescale, 2 tf, 3 caffe: as preprocess.wgsl, here fused
//   needs       WORKGROUP, BYTES, GEOMETRY, COLOURS, MODE; without GEOMETRY (oh, ow) = (h, w); MODE 3: c = 3
//   cost        about 40 operations, 4 bytes (1 with BYTES) read about once from memory, 4 written, per element of y

struct Params {
  h: u32,
  w: u32,
  c: u32,
  oh: u32,
  ow: u32,
  xFirst: u32,
  yFirst: u32,
  imageFirst: u32,
}

struct Transform {
  across: vec3f, // column of the input = across . (column, row, 1) of the output
  fillValue: f32,
  down: vec3f, // row of the input, likewise
  fill: u32,
  channelShift: f32,
  brightness: f32,
  contrast: f32,
  offset: f32,
  low: f32,
  high: f32,
  nearest: u32,
  colours: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> transforms: array<Transform>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const IMAGENET_MEAN_BGR = vec3f(103.939, 116.779, 123.68);

const FILL_NEAREST = 0u;
const FILL_REFLECT = 1u;
const FILL_WRAP = 2u;
const FILL_CONSTANT = 3u;
const FILL_TENSORFLOW_WRAP = 6u;

const SHIFT = 1u;
const BRIGHTNESS = 2u;
const CONTRAST = 4u;
const CLIP = 8u;

// Far enough outside that nothing of the image is mixed in.
const OUTSIDE = -8.0;

fn element(i: u32) -> f32 {
  if (BYTES) { return f32((x[i >> 2u] >> (8u * (i & 3u))) & 0xffu); }
  return bitcast<f32>(x[i]);
}

// Where along one axis of `size` pixels to look for position p. u is p measured from the first pixel's centre.
fn inside(p: f32, size: f32, fill: u32) -> f32 {
  let u = p - 0.5;
  let last = size - 1.0;
  switch (fill) {
    case FILL_REFLECT: {
      let around = p - 2.0 * size * floor(p / (2.0 * size));
      return clamp(min(around, 2.0 * size - around), 0.5, last + 0.5);
    }
    case FILL_WRAP: {
      let times = select(-trunc(u / last), trunc(-u / last) + 1.0, u < 0.0);
      return select(clamp(p + last * times, 0.5, last + 0.5), 0.5, last == 0.0);
    }
    case FILL_TENSORFLOW_WRAP: {
      let times = select(-trunc(u / last), trunc(-u / last) + 1.0, u < 0.0);
      let beyond = u < 0.0 || u > last;
      return select(clamp(select(p, p + size * times, beyond), 0.5, last + 0.5), 0.5, last == 0.0);
    }
    case FILL_CONSTANT: { return select(p, OUTSIDE, u < 0.0 || u > last); }
    case FILL_NEAREST: { return clamp(p, 0.5, last + 0.5); }
    default: { return p; }
  }
}

// The value of one pixel, or the fill value where there is none.
fn pixel(column: i32, row: i32, ch: u32, first: u32, fillValue: f32) -> f32 {
  let there = column >= 0 && row >= 0 && column < i32(params.w) && row < i32(params.h);
  // A place that exists is read in any case.
  let at = select(0u, (u32(row) * params.w + u32(column)) * params.c, there);
  return select(fillValue, element(first + at + ch), there);
}

fn sample(transform: Transform, position: vec3f, ch: u32, first: u32) -> f32 {
  let column = inside(dot(transform.across, position), f32(params.w), transform.fill);
  let row = inside(dot(transform.down, position), f32(params.h), transform.fill);
  if (transform.nearest == 1u) {
    return pixel(i32(floor(column)), i32(floor(row)), ch, first, transform.fillValue);
  }
  let left = floor(column - 0.5);
  let top = floor(row - 0.5);
  let right = column - 0.5 - left;
  let bottom = row - 0.5 - top;
  let i = i32(left);
  let j = i32(top);
  let a = pixel(i, j, ch, first, transform.fillValue);
  let b = pixel(i + 1, j, ch, first, transform.fillValue);
  let c = pixel(i, j + 1, ch, first, transform.fillValue);
  let d = pixel(i + 1, j + 1, ch, first, transform.fillValue);
  // Differences, so that an even patch stays exactly as it is.
  let upper = a + right * (b - a);
  let lower = c + right * (d - c);
  return upper + bottom * (lower - upper);
}

fn coloured(transform: Transform, value: f32, ch: u32, image: u32) -> f32 {
  var v = value;
  let row = image * params.c;
  if ((transform.colours & SHIFT) != 0u) {
    var low = statistics[row].x;
    var high = statistics[row].y;
    for (var k = 1u; k < params.c; k++) {
      low = min(low, statistics[row + k].x);
      high = max(high, statistics[row + k].y);
    }
    v = clamp(v + transform.channelShift, low, high);
  }
  if ((transform.colours & BRIGHTNESS) != 0u) {
    v = clamp(floor(floor(v) * transform.brightness), 0.0, 255.0);
  }
  if ((transform.colours & CONTRAST) != 0u) {
    let mean = statistics[row + ch].z;
    v = (v - mean) * transform.contrast + mean;
  }
  v += transform.offset;
  if ((transform.colours & CLIP) != 0u) { v = clamp(v, transform.low, transform.high); }
  return v;
}

fn preprocessed(v: f32, ch: u32) -> f32 {
  if (MODE == 1) { return v * (1.0 / 255.0); }
  if (MODE == 2) { return v / 127.5 - 1.0; }
  if (MODE == 3) { return v - IMAGENET_MEAN_BGR[ch]; }
  return v;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  let size = params.oh * params.ow * params.c;
  if (i >= size) { return; }
  let image = params.imageFirst + wid.z;
  let transform = transforms[image];
  let ch = i % params.c;
  // 'caffe' wants blue first: the output's channel 0 is the input's channel 2.
  let source = select(ch, 2u - ch, MODE == 3);
  let first = params.xFirst + wid.z * params.h * params.w * params.c;
  var v: f32;
  if (GEOMETRY) {
    let place = i / params.c;
    let position = vec3f(f32(place % params.ow) + 0.5, f32(place / params.ow) + 0.5, 1.0);
    v = sample(transform, position, source, first);
  } else {
    v = element(first + i - ch + source);
  }
  if (COLOURS) { v = coloured(transform, v, source, image); }
  y[params.yFirst + wid.z * size + i] = preprocessed(v, ch);
}
