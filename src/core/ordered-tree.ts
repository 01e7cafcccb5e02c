/**
 * A sorted list that is never changed: adding and taking out give a new one in logarithmic time, which shares all but the way to the
 * place with the old one. Whoever holds a tree holds the order of that moment, for nothing.
 *
 * Balanced by weight (S. Adams, 1993), with the bounds that Y. Hirai and K. Yamamoto have proven: "Balancing weight-balanced
 * trees", J. Functional Programming 21 (2011).
 */
export type Tree<T> = TreeNode<T> | null;

interface TreeNode<T> {
  readonly item: T;
  readonly size: number;
  readonly left: Tree<T>;
  readonly right: Tree<T>;
}

/** Zero only for what counts as the same item. */
export type Compare<T> = (a: T, b: T) => number;

/** A side may weigh so many times the other. */
const delta = 3;
/** The inner side of the heavier one may weigh so many times its outer side, or a double rotation is needed. */
const gamma = 2;

export function sizeOf(tree: Tree<unknown>): number {
  return tree === null ? 0 : tree.size;
}

/** The tree of items that are sorted already, in linear time. */
export function treeOf<T>(sorted: readonly T[], from = 0, to: number = sorted.length): Tree<T> {
  if (from >= to) return null;
  const middle = (from + to) >> 1;
  return node(sorted[middle] as T, treeOf(sorted, from, middle), treeOf(sorted, middle + 1, to));
}

/** With `item`, which takes the place of the same one. */
export function withItem<T>(tree: Tree<T>, item: T, compare: Compare<T>): Tree<T> {
  if (tree === null) return node(item, null, null);
  const { left, right } = tree;
  const order = compare(item, tree.item);
  if (order === 0) return node(item, left, right);
  return order < 0
    ? balanced(tree.item, withItem(left, item, compare), right)
    : balanced(tree.item, left, withItem(right, item, compare));
}

/** Without `item`, if it is there. */
export function withoutItem<T>(tree: Tree<T>, item: T, compare: Compare<T>): Tree<T> {
  if (tree === null) return null;
  const { left, right } = tree;
  const order = compare(item, tree.item);
  if (order < 0) return balanced(tree.item, withoutItem(left, item, compare), right);
  if (order > 0) return balanced(tree.item, left, withoutItem(right, item, compare));
  if (left === null) return right;
  if (right === null) return left;
  return left.size > right.size
    ? balanced(itemAt(left, left.size - 1) as T, withoutLast(left), right)
    : balanced(itemAt(right, 0) as T, left, withoutFirst(right));
}

/** Counted from 0 in sorted order; undefined past the end. */
export function itemAt<T>(tree: Tree<T>, index: number): T | undefined {
  let at = tree;
  let rest = index;
  while (at !== null) {
    const before = sizeOf(at.left);
    if (rest === before) return at.item;
    if (rest < before) at = at.left;
    else {
      rest -= before + 1;
      at = at.right;
    }
  }
  return undefined;
}

function withoutFirst<T>(tree: TreeNode<T>): Tree<T> {
  return tree.left === null ? tree.right : balanced(tree.item, withoutFirst(tree.left), tree.right);
}

function withoutLast<T>(tree: TreeNode<T>): Tree<T> {
  return tree.right === null ? tree.left : balanced(tree.item, tree.left, withoutLast(tree.right));
}

function node<T>(item: T, left: Tree<T>, right: Tree<T>): TreeNode<T> {
  return { item, size: sizeOf(left) + sizeOf(right) + 1, left, right };
}

/** `left` and `right` are balanced in themselves, and one of them has at most one item more or less than it had. */
function balanced<T>(item: T, left: Tree<T>, right: Tree<T>): TreeNode<T> {
  if (right !== null && sizeOf(right) + 1 > delta * (sizeOf(left) + 1)) {
    const inner = right.left;
    if (inner === null || inner.size + 1 < gamma * (sizeOf(right.right) + 1)) {
      return node(right.item, node(item, left, inner), right.right);
    }
    return node(inner.item, node(item, left, inner.left), node(right.item, inner.right, right.right));
  }
  if (left !== null && sizeOf(left) + 1 > delta * (sizeOf(right) + 1)) {
    const inner = left.right;
    if (inner === null || inner.size + 1 < gamma * (sizeOf(left.left) + 1)) {
      return node(left.item, left.left, node(item, inner, right));
    }
    return node(inner.item, node(left.item, left.left, inner.left), node(item, inner.right, right));
  }
  return node(item, left, right);
}
