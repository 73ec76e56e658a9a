// Nothing but fused multiply-adds: how many of them the adapter can do.
//
//   y       one float of each thread, so that nothing is left out as unused
//   thread  three vectors, twelve chains: a -> a * factor + term, STEPS * UNROLLED times. A chain waits for itself (a few
//           cycles), so a processor needs about as many chains as it has units times that wait; twelve fit into the
//           registers of all of them
//   cost    2 * 12 * STEPS * UNROLLED FLOP a thread, 4 bytes
//   needs   WORKGROUP, STEPS, UNROLLED (a loop of constant length, which compilers write out: what counts and compares
//           is then little beside the arithmetic)

struct Params {
  factor: f32,
  term: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(params.factor);
  let term = vec4f(params.term);
  let start = f32(id.x % 1024u) / 1024.0;
  var a = vec4f(start, start + 1.0, start + 2.0, start + 3.0);
  var b = a + 4.0;
  var c = a + 8.0;
  for (var step = 0u; step < STEPS; step++) {
    for (var i = 0u; i < UNROLLED; i++) {
      a = fma(a, factor, term);
      b = fma(b, factor, term);
      c = fma(c, factor, term);
    }
  }
  let sum = a + b + c;
  y[id.x] = sum.x + sum.y + sum.z + sum.w;
}
