// Stands in for kernels/shared/subgroup-matrix.wgsl in tests: the same functions with the same meaning in plain WGSL, for
// adapters without such instructions. LANES threads with neighbouring numbers are a subgroup. A fragment of a factor is
// the place where it lies in its tile, which nobody overwrites while it is in use; of a product each thread holds every
// LANES-th number.

enable subgroups;

alias Left = u32;
alias Right = u32;
alias Sum = array<f32, FRAGMENT_M * FRAGMENT_N / LANES>;

var<private> lane: u32;

fn subgroupOf(subgroup: u32, thread: u32) -> u32 {
  lane = thread % LANES;
  return thread / LANES;
}

fn loadLeft(at: u32) -> Left { return at; }

fn loadRight(at: u32) -> Right { return at; }

// A length that the compiler does not see through: loops written out take software adapters minutes to compile.
fn opaque(length: u32) -> u32 { return select(length, 0, lane >= LANES); }

fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum {
  var result = sum;
  for (var i = 0u; i < opaque(FRAGMENT_M * FRAGMENT_N / LANES); i++) {
    let row = (i * LANES + lane) / FRAGMENT_N;
    let column = (i * LANES + lane) % FRAGMENT_N;
    for (var k = 0u; k < opaque(FRAGMENT_K); k++) {
      result[i] += f32(leftTile[left + row * LEFT_STRIDE + k]) * f32(rightTile[right + k * RIGHT_STRIDE + column]);
    }
  }
  return result;
}

fn storeSum(at: u32, sum: Sum) {
  for (var i = 0u; i < opaque(FRAGMENT_M * FRAGMENT_N / LANES); i++) { results[at + i * LANES + lane] = sum[i]; }
}
