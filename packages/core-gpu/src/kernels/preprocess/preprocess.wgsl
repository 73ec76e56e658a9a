// uint8 RGB pixels to floats, as the models were trained on them.
//
//   MODE 0  y = byte                           ('none')
//   MODE 1  y = byte * (1 / 255)               ('rescale')
//   MODE 2  y = byte / 127.5 - 1               ('tf')
//   MODE 3  BGR, minus the mean of ImageNet    ('caffe')
//
//   bytes   count bytes, four to a word, the first in the lowest bits
//   y       count floats, (pixels, 3), seen as vectors of four
//   thread  four pixels: three words in, three vectors out
//
//           word   0       1       2
//           bytes  RGB R GB RG B RGB
//           pixel  000 1 11 22 2 333
//           y      vector0 vector1 vector2
//
//   needs   WORKGROUP, MODE
//   cost    1 FLOP, 5 bytes per element

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bytes: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<Y4>;

const IMAGENET_MEAN_BGR = vec3f(103.939, 116.779, 123.68);

fn convert(rgb: vec3f) -> vec3f {
  if (MODE == 1) { return rgb * (1.0 / 255.0); }
  if (MODE == 2) { return rgb / 127.5 - 1.0; }
  if (MODE == 3) { return rgb.bgr - IMAGENET_MEAN_BGR; }
  return rgb;
}

fn bytesOf(word: u32) -> vec4f {
  return vec4f((vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu));
}

// #include "../shared/store-vec4.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (12u * i >= params.count) { return; }
  // Words past the end read as some other word; what is made of them is not stored.
  let a = bytesOf(bytes[3u * i]);
  let b = bytesOf(bytes[3u * i + 1u]);
  let c = bytesOf(bytes[3u * i + 2u]);
  let p0 = convert(a.xyz);
  let p1 = convert(vec3f(a.w, b.xy));
  let p2 = convert(vec3f(b.zw, c.x));
  let p3 = convert(c.yzw);
  store(3u * i, vec4f(p0, p1.x));
  store(3u * i + 1u, vec4f(p1.yz, p2.xy));
  store(3u * i + 2u, vec4f(p2.z, p3));
}
