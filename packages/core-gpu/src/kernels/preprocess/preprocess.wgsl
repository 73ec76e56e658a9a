// uint8 RGB pixels to floats, as the models were trained on them.
//
//   MODE 0  y = byte                           ('none')
//   MODE 1  y = byte * (1 / 255)               ('rescale')
//   MODE 2  y = byte / 127.5 - 1               ('tf')
//   MODE 3  BGR, minus the mean of ImageNet    ('caffe')
//
//   bytes   3 * count bytes, four to a word, the first in the lowest bits
//   y       3 * count floats, (pixels, 3)
//   thread  four pixels: three words in, twelve floats out
//
//           word   0       1       2
//           bytes  RGB R GB RG B RGB
//           pixel  000 1 11 22 2 333
//
//   needs   WORKGROUP, MODE
//   cost    1 FLOP, 5 bytes per element

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bytes: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const IMAGENET_MEAN_BGR = vec3f(103.939, 116.779, 123.68);

fn convert(rgb: vec3f) -> vec3f {
  if (MODE == 1) { return rgb * (1.0 / 255.0); }
  if (MODE == 2) { return rgb / 127.5 - 1.0; }
  if (MODE == 3) { return rgb.bgr - IMAGENET_MEAN_BGR; }
  return rgb;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  // Words past the end of the buffer read as some other word of it; nothing is made of them.
  let word = vec3u(bytes[3u * i], bytes[3u * i + 1u], bytes[3u * i + 2u]);
  var words = array<u32, 3>(word.x, word.y, word.z);
  for (var p = 0u; p < 4u; p++) {
    let pixel = 4u * i + p;
    if (pixel >= params.count) { return; }
    var rgb: vec3f;
    for (var k = 0u; k < 3u; k++) {
      let at = 3u * p + k;
      rgb[k] = f32((words[at / 4u] >> (8u * (at % 4u))) & 0xffu);
    }
    let value = convert(rgb);
    y[3u * pixel] = value.x;
    y[3u * pixel + 1u] = value.y;
    y[3u * pixel + 2u] = value.z;
  }
}
