// The only place that knows the instructions of tensor cores: fragments of the two factors in shared memory, and of their
// product, held by a whole subgroup at once. No thread can say which numbers of a fragment it holds: all of a subgroup
// load, multiply and store together. Tests put the same five functions on plain arrays in their place
// (testing/emulated-subgroup-matrix.wgsl), for adapters without such instructions.

enable subgroups;
enable chromium_experimental_subgroup_matrix;

// WGSL names the columns of a matrix first.
alias Left = subgroup_matrix_left<Element, FRAGMENT_K, FRAGMENT_M>;
alias Right = subgroup_matrix_right<Element, FRAGMENT_N, FRAGMENT_K>;
alias Sum = subgroup_matrix_result<f32, FRAGMENT_N, FRAGMENT_M>;

// Which subgroup of the workgroup a thread belongs to.
fn subgroupOf(subgroup: u32, thread: u32) -> u32 { return subgroup; }

fn loadLeft(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&leftTile, at, LEFT_STRIDE); }

fn loadRight(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&rightTile, at, RIGHT_STRIDE); }

fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }

fn storeSum(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&results, at, sum, FRAGMENT_N); }
