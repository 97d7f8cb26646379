/** Eigenvalues of a symmetric matrix, and its eigenvectors as rows of `vectors`, in no order. */
export interface Eigen {
  readonly values: readonly number[];
  readonly vectors: readonly (readonly number[])[];
}

const sweepsMax = 60;
const precision = 1e-14;

/** The eigenvalues and eigenvectors of a small symmetric matrix, by cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5). */
export function symmetricEigen(matrix: readonly (readonly number[])[]): Eigen {
  const size = matrix.length;
  const a = matrix.map((row) => [...row]);
  const vectors = matrix.map((_, i) => Array.from({ length: size }, (_each, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < sweepsMax && offDiagonal(a) > precision; sweep++) {
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, p, q);
  }
  return { values: a.map((row, i) => row[i] as number), vectors };
}

function offDiagonal(a: readonly (readonly number[])[]): number {
  let most = 0;
  a.forEach((row, i) => row.forEach((value, j) => (most = i === j ? most : Math.max(most, Math.abs(value)))));
  return most;
}

/** Turns rows and columns `p` and `q` so that the element between them becomes 0. */
function rotate(a: number[][], vectors: number[][], p: number, q: number): void {
  const between = a[p]?.[q] as number;
  if (between === 0) return;
  const theta = ((a[q]?.[q] as number) - (a[p]?.[p] as number)) / (2 * between);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const row of a) {
    const [x, y] = [row[p] as number, row[q] as number];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
  turn(a[p] as number[], a[q] as number[], c, s);
  turn(vectors[p] as number[], vectors[q] as number[], c, s);
}

function turn(first: number[], second: number[], c: number, s: number): void {
  for (let k = 0; k < first.length; k++) {
    const [x, y] = [first[k] as number, second[k] as number];
    first[k] = c * x - s * y;
    second[k] = s * x + c * y;
  }
}
